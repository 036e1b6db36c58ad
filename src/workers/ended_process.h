// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/outcome.h"

#include "src/workers/watch_page.h"

namespace faultwave {

/// What is known of trials that a process did not survive: it was one of them.
struct EndedTrials {
  std::vector<uint64_t> trials;
  OutcomeClass outcome = OutcomeClass::crash;  ///< or hang
  std::string how;                             ///< "the process was ended by SIGSEGV", for TrialRow::crash
};

/// Whether a fault can have ended a process by this signal; others come from outside, SIGKILL where memory
/// runs out.
bool is_by_fault(int signal);

/// "SIGSEGV".
std::string signal_name(int signal);

/// Which trials ended a process: those of the forward that was `overdue`, for which it was killed, or that
/// was under way when it ended with `status` (of waitpid). Empty if it was not a trial.
std::optional<EndedTrials> ended_trials(const WatchPage& page, int status,
                                        const std::optional<WatchPage::Forward>& overdue);

}  // namespace faultwave
