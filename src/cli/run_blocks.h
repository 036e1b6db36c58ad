// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "faultwave/campaign.h"
#include "faultwave/store.h"

#include "src/cli/flags.h"
#include "src/workers/ended_process.h"
#include "src/workers/watch_page.h"

namespace CLI {
class App;
}

namespace faultwave::cli {

/// Flags of `run` and `resume`.
struct RunFlags {
  bool quiet = false;
  int workers = 1;     ///< processes; 1: this one
  int64_t memory = 0;  ///< bytes for the wave engines of all workers; 0: default_wave_budget()
  std::vector<std::string> plugins{};  ///< files
};

/// Adds --memory. `memory` must live until the callback of the command has run.
void add_memory_flag(CLI::App& command, int64_t& memory);

/// Adds --quiet, --workers, --memory and --plugin. `flags` must live until the callback of the command has
/// run.
void add_run_flags(CLI::App& command, RunFlags& flags);

/// What `run` and `resume` share: runs the unfinished blocks under a progress line and prints the report.
/// `moved_to` is where the specification lies now, "" where it was. `ended`: trials that ended a process;
/// then all trials run in workers, which they may end too. Throws Interrupted, with how to go on, where the
/// page says so.
void run_blocks(const Campaign& campaign, Store& store, const RunFlags& flags, WatchPage& page,
                const std::string& moved_to = {}, const EndedTrials* ended = nullptr);

/// How `run` and `resume` go on in a database.
struct ResumeOptions {
  std::string database;
  std::string specification;  ///< where it lies now, "" where it was
  RunFlags flags;
  NetworkFlags network;
};
void resume_blocks(const ResumeOptions& options, WatchPage& page, const EndedTrials* ended = nullptr);

/// "interrupted; 1,024 of 2,000 trials are in 'a.db': go on with `faultwave resume a.db`".
std::string interrupted_text(const std::string& database);

}  // namespace faultwave::cli
