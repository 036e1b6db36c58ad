// SPDX-License-Identifier: Apache-2.0
#include "src/workers/ended_process.h"

#include <csignal>
#include <cstring>

#include <sys/wait.h>

namespace faultwave {

bool is_by_fault(int signal) {
  switch (signal) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGABRT:
    case SIGTRAP:
    case SIGSYS:
      return true;
    default:
      return false;
  }
}

std::string signal_name(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

std::optional<EndedTrials> ended_trials(const WatchPage& page, int status,
                                        const std::optional<WatchPage::Forward>& overdue) {
  const bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (overdue && was_killed)
    return EndedTrials{overdue->trials, OutcomeClass::hang, "the run did not end in its time"};
  const auto forward = page.under_way();
  if (!forward) return std::nullopt;
  // A fault may also bring a network to call exit().
  if (WIFEXITED(status)) {
    return EndedTrials{forward->trials, OutcomeClass::crash,
                       "the process ended itself with exit code " + std::to_string(WEXITSTATUS(status))};
  }
  if (!is_by_fault(WTERMSIG(status))) return std::nullopt;
  return EndedTrials{forward->trials, OutcomeClass::crash,
                     "the process was ended by " + signal_name(WTERMSIG(status))};
}

}  // namespace faultwave
