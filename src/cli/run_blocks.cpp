// SPDX-License-Identifier: Apache-2.0
#include "src/cli/run_blocks.h"

#include <ATen/Parallel.h>

#include <charconv>
#include <filesystem>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/error.h"
#include "faultwave/report.h"

#include "src/cli/engine_text.h"
#include "src/cli/flags.h"
#include "src/cli/output.h"
#include "src/cli/program.h"
#include "src/cli/progress_line.h"
#include "src/common/machine_load.h"
#include "src/common/number_ranges.h"
#include "src/report/numbers.h"
#include "src/workers/interrupted.h"
#include "src/workers/worker.h"
#include "src/workers/worker_pool.h"

namespace faultwave::cli {
namespace {

/// "500", "500MB", "4GB", in bytes.
int64_t parse_megabytes(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  const bool is_known = unit.empty() || unit == "MB" || unit == "GB";
  if (error != std::errc() || !is_known) {
    throw UserError(ErrorCode::usage,
                    "--memory: '" + text + "' is no size: expected megabytes, as 500 or 500MB, or as 4GB");
  }
  const NumberRange& range = number_range("--memory");
  const double megabytes = static_cast<double>(number) * (unit == "GB" ? 1024 : 1);
  if (!range.holds(megabytes))
    throw UserError(ErrorCode::usage, "--memory: megabytes " + range.refusal(text));
  return static_cast<int64_t>(megabytes) << 20;
}

// What fits a screen; `faultwave stats` shows the rest.
constexpr size_t kLayersShown = 20;

void tell_if_busy() {
  const std::string note = busy_note(load_average(), at::get_num_threads(), usable_cores());
  if (!note.empty()) std::cerr << "faultwave: " << note << std::endl;
}

}  // namespace

void add_memory_flag(CLI::App& command, int64_t& memory) {
  command
      .add_option_function<std::string>(
          "--memory", [&memory](const std::string& text) { memory = parse_megabytes(text); },
          "Megabytes that the wave engine may use beside the network, or as 4GB (default: a quarter of what "
          "there is)")
      ->type_name("SIZE");
}

void add_run_flags(CLI::App& command, RunFlags& flags) {
  command.add_flag("-q,--quiet", flags.quiet, "No progress");
  command
      .add_option("--workers", flags.workers,
                  "Processes that share the work, and the threads: worth it for small networks")
      ->type_name("N")
      ->check(in_range("--workers"))
      ->capture_default_str();
  add_memory_flag(command, flags.memory);
  add_plugin_flag(command, flags.plugins);
}

std::string interrupted_text(const std::string& database) {
  if (!std::filesystem::exists(database)) return "interrupted before the campaign was begun";
  const Store store = Store::open(database, Store::Access::read);
  return "interrupted; " + grouped(store.trials_done()) + " of " +
         grouped(shard_trials(store.info()).size()) + " trials are in '" + database +
         "': go on with `faultwave resume " + database + "`";
}

void resume_blocks(const ResumeOptions& options, WatchPage& page, const EndedTrials* ended) {
  load_plugins(options.flags.plugins);
  Store store = Store::open(options.database, Store::Access::write);
  Specification specification = recorded_specification(store, options.specification);
  apply(options.network, specification);
  specification.memory_bytes = options.flags.memory;
  const Campaign campaign = open_campaign(specification, &store);
  check_same_campaign(store.info(), campaign.info(specification, ""), options.database);
  run_blocks(campaign, store, options.flags, page, options.specification, ended);
}

void run_blocks(const Campaign& campaign, Store& store, const RunFlags& flags, WatchPage& page,
                const std::string& moved_to, const EndedTrials* ended) {
  const CampaignInfo& info = store.info();
  page.begin_order();
  if (!flags.quiet) tell_if_busy();
  std::unique_ptr<WorkerPool> pool;
  BlockRunner elsewhere;
  if ((flags.workers > 1 || ended != nullptr) && store.ended().empty()) {
    const WorkerSettings settings{.database = store.path(),
                                  .specification = moved_to,
                                  .workers = flags.workers,
                                  .threads = at::get_num_threads(),
                                  .memory = flags.memory > 0 ? flags.memory : default_wave_budget()};
    pool = std::make_unique<WorkerPool>(campaign, settings, when(page.cancelled()));
    if (ended != nullptr) pool->begin_with(*ended);
    elsewhere = [&](const Round& round, const std::vector<Block>& blocks, const auto& done) {
      return pool->run(round, blocks, done);
    };
  } else {
    watch_forwards(campaign, page);
  }
  bool is_done = false;
  {
    ProgressLine line(flags.quiet, info.criteria.at(0), info.confidence);
    is_done = campaign.run(
        store, when(page.cancelled()), [&](const Progress& progress) { line.show(progress); }, elsewhere);
  }
  if (!is_done) {
    const std::string text = interrupted_text(store.path());
    page.note_order();
    throw Interrupted(page.signal(), text);
  }
  std::cout << text_report(summarize(store), kLayersShown, output_width());
  if (campaign.parts().wave_report) std::cout << engine_text(campaign.parts().wave_report());
}

}  // namespace faultwave::cli
