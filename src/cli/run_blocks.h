// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "faultwave/campaign.h"
#include "faultwave/store.h"

namespace CLI {
class App;
}

namespace faultwave::cli {

/// Flags of `run` and `resume`.
struct RunFlags {
  bool quiet = false;
  int workers = 1;     ///< processes; 1: this one
  int64_t memory = 0;  ///< bytes for the wave engines of all workers; 0: default_wave_budget()
};

/// Adds --memory. `memory` must live until the callback of the command has run.
void add_memory_flag(CLI::App& command, int64_t& memory);

/// Adds --quiet, --workers and --memory. `flags` must live until the callback of the command has run.
void add_run_flags(CLI::App& command, RunFlags& flags);

/// What `run` and `resume` share: runs the unfinished blocks under a progress line and prints the report.
/// `moved_to` is where the specification lies now, "" where it was. Throws Interrupted, with how to go on, on
/// Ctrl-C.
void run_blocks(const Campaign& campaign, Store& store, const RunFlags& flags,
                const std::string& moved_to = {});

}  // namespace faultwave::cli
