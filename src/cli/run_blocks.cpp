// SPDX-License-Identifier: Apache-2.0
#include "src/cli/run_blocks.h"

#include <ATen/Parallel.h>

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/report.h"

#include "src/cli/engine_text.h"
#include "src/cli/interrupt.h"
#include "src/cli/program.h"
#include "src/cli/progress_line.h"
#include "src/cli/worker_pool.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

// What fits a screen; `faultwave stats` shows the rest.
constexpr size_t kLayersShown = 20;

}  // namespace

void add_run_flags(CLI::App& command, RunFlags& flags) {
  command.add_flag("-q,--quiet", flags.quiet, "No progress");
  command
      .add_option("--workers", flags.workers,
                  "Processes that share the work, and the threads: worth it for small networks")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
}

void run_blocks(const Campaign& campaign, Store& store, const RunFlags& flags, const std::string& moved_to) {
  const CampaignInfo& info = store.info();
  const InterruptGuard interrupt;
  std::unique_ptr<WorkerPool> pool;
  BlockRunner elsewhere;
  if (flags.workers > 1 && store.ended().empty()) {
    pool = std::make_unique<WorkerPool>(store.path(), moved_to, flags.workers, at::get_num_threads(),
                                        interrupt.flag());
    elsewhere = [&](const Round& round, const std::vector<Block>& blocks, const auto& done) {
      return pool->run(round, blocks, done);
    };
  }
  bool is_done = false;
  {
    ProgressLine line(flags.quiet, info.criteria.at(0), info.confidence);
    is_done = campaign.run(
        store, interrupt.flag(), [&](const Progress& progress) { line.show(progress); }, elsewhere);
  }
  if (!is_done) {
    throw Interrupted(interrupt.signal(), "interrupted; " + grouped(store.trials_done()) + " of " +
                                              grouped(shard_trials(info).size()) + " trials are in '" +
                                              store.path() + "': go on with `faultwave resume " +
                                              store.path() + "`");
  }
  std::cout << text_report(summarize(store), kLayersShown);
  if (campaign.parts().wave_report) std::cout << engine_text(campaign.parts().wave_report());
}

}  // namespace faultwave::cli
