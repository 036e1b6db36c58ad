// SPDX-License-Identifier: Apache-2.0
// Campaigns in several processes. The pool, and what it does where a fault ends a process, are the program's.
#include <ATen/Parallel.h>

#include <memory>
#include <string>
#include <vector>

#include "faultwave/campaign.h"
#include "faultwave/wave_engine.h"

#include "bindings.h"
#include "python_call.h"
#include "reporter.h"
#include "src/workers/watch_page.h"
#include "src/workers/worker.h"
#include "src/workers/worker_pool.h"

namespace faultwave::python {
namespace {

/// As Campaign::run, with the blocks in processes that `command` starts. Whether it is at its end.
bool run_in_processes(const Campaign& campaign, Store& store, const py::object& progress,
                      const std::vector<std::string>& command, int processes) {
  Reporter report(progress);
  forget_exception();
  const py::gil_scoped_release no_gil;
  const CancelCheck never = [] {
    check_signals();
    return false;
  };
  const int64_t memory = campaign.specification().memory_bytes;
  WorkerPool pool(campaign,
                  {.command = command,
                   .database = store.path(),
                   .specification = {},
                   .workers = processes,
                   .threads = at::get_num_threads(),
                   .memory = memory > 0 ? memory : default_wave_budget()},
                  never);
  return campaign.run(
      store, never, [&](const Progress& now) { report(now); },
      [&](const Round& round, const std::vector<Block>& blocks, const auto& done) {
        return pool.run(round, blocks, done);
      });
}

}  // namespace

void bind_workers(py::module_& m) {
  m.def("run_in_processes", &run_in_processes, py::arg("campaign"), py::arg("store"), py::arg("progress"),
        py::arg("command"), py::arg("processes"));
  m.def(
      "serve_blocks",
      [](const Campaign& campaign, const Store& store, int socket, int page) {
        WatchPage watched(page);
        serve_blocks(campaign, store, socket, watched);
      },
      py::arg("campaign"), py::arg("store"), py::arg("socket"), py::arg("page"),
      py::call_guard<py::gil_scoped_release>());
}

}  // namespace faultwave::python
