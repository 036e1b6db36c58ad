// SPDX-License-Identifier: Apache-2.0
#include "src/workers/supervise.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultwave/error.h"

#include "src/workers/interrupted.h"

namespace faultwave {
namespace {

using Clock = std::chrono::steady_clock;

// How long a child may take to end in order; then it waits for a forward that takes long.
constexpr std::chrono::milliseconds kToEnd{500};
constexpr long kLookNanoseconds = 100'000'000;

/// The signals that this process waits for, blocked while it lives.
class Signals {
 public:
  Signals() {
    ::signal(SIGCHLD, SIG_DFL);  // ignored, children would leave no status
    sigemptyset(&ours_);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD})
      sigaddset(&ours_, signal);
    ::sigprocmask(SIG_BLOCK, &ours_, &before_);
  }
  ~Signals() { restore(); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  void restore() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  /// The next one, or 0 after a while.
  int wait() const {
    const timespec look{0, kLookNanoseconds};
    const int signal = ::sigtimedwait(&ours_, nullptr, &look);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t ours_{};
  sigset_t before_{};
};

/// The child's side of a fork.
void become_child(pid_t parent, const Signals& signals) {
  // Signals of a terminal reach all processes; the first decides what becomes of them.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_IGN);
  signals.restore();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
}

/// One child, from its fork to its end.
class Child {
 public:
  Child(pid_t process, WatchPage& page, const Signals& signals)
      : process_(process), page_(page), signals_(signals) {}

  struct End {
    int status = 0;  // of waitpid
    std::optional<EndedTrials> trials;
    int interrupted_by = 0;  // the signal, where it was killed instead of ending in order
  };

  End wait() {
    End end;
    HangClock clock;
    std::optional<WatchPage::Forward> overdue;
    while (::waitpid(process_, &end.status, WNOHANG) == 0) {
      const int signal = signals_.wait();
      if (signal == SIGINT || signal == SIGTERM) interrupt(signal);
      const bool is_late = signal_ != 0 && Clock::now() >= deadline_ && !page_.ended_in_order();
      if (is_late && killed_by_ == 0) kill(signal_);
      if (overdue || signal_ != 0) continue;
      overdue = clock.overdue(page_);
      if (overdue) ::kill(process_, SIGKILL);
    }
    end.interrupted_by = killed_by_;
    if (killed_by_ == 0) end.trials = ended_trials(page_, end.status, overdue);
    return end;
  }

 private:
  void interrupt(int signal) {
    const bool is_second = signal_ != 0;
    signal_ = signal;
    if (is_second || !page_.ends_in_order()) {
      kill(signal);
      return;
    }
    page_.cancel(signal);
    deadline_ = Clock::now() + kToEnd;
  }

  void kill(int reason) {
    killed_by_ = reason;
    ::kill(process_, SIGKILL);
  }

  pid_t process_;
  WatchPage& page_;
  const Signals& signals_;
  int signal_ = 0;
  int killed_by_ = 0;
  Clock::time_point deadline_{};
};

/// Ends this process as the signal would have.
[[noreturn]] void die_by(int signal, const Signals& signals) {
  ::signal(signal, SIG_DFL);
  ::raise(signal);
  signals.restore();
  std::_Exit(128 + signal);
}

[[noreturn]] void finish(const Child::End& end, const WatchPage& page, const Signals& signals,
                         const std::function<std::string()>& interrupted) {
  if (end.interrupted_by != 0 && !page.ends_in_order()) die_by(end.interrupted_by, signals);
  if (end.interrupted_by != 0 && page.ended_in_order()) std::_Exit(128 + end.interrupted_by);
  if (end.interrupted_by != 0) throw Interrupted(end.interrupted_by, interrupted());
  if (WIFEXITED(end.status)) std::_Exit(WEXITSTATUS(end.status));
  const int signal = WTERMSIG(end.status);
  if (is_by_fault(signal)) {
    throw InternalError("the process was ended by " + signal_name(signal) +
                        " while no fault was in the network");
  }
  const std::string memory =
      signal == SIGKILL ? " by hand or for lack of memory, which a smaller --memory or batch takes less of;"
                        : "";
  throw Interrupted(signal, "the process that runs the network was ended by " + signal_name(signal) + memory +
                                " " + interrupted());
}

}  // namespace

void supervise(const std::function<void(WatchPage&)>& work,
               const std::function<void(WatchPage&, const EndedTrials&)>& go_on,
               const std::function<std::string()>& interrupted) {
  WatchPage page;
  const Signals signals;
  const pid_t parent = ::getpid();
  std::optional<EndedTrials> ended;
  while (true) {
    const pid_t process = ::fork();
    if (process < 0) {
      throw UserError(ErrorCode::store, std::string("cannot start a process: ") + std::strerror(errno));
    }
    if (process == 0) {
      become_child(parent, signals);
      if (ended) {
        page.end();  // of the forward that the child before did not survive
        go_on(page, *ended);
      } else {
        work(page);
      }
      return;
    }
    const Child::End end = Child(process, page, signals).wait();
    const bool is_first = !ended;
    if (end.trials && is_first) {
      ended = end.trials;
      continue;
    }
    finish(end, page, signals, interrupted);
  }
}

}  // namespace faultwave
