// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "faultwave/engine.h"

namespace faultwave {

/// Memory that a process which runs trials shares with the one that looks after it: which forward is under
/// way there, and whether it shall stop. It costs a few stores a forward.
class WatchPage : public ForwardWatch {
 public:
  /// A new page, for children of this process. Throws UserError(store) if there is no memory for it.
  WatchPage();
  /// The page of another process, which this one was given the descriptor of.
  explicit WatchPage(int descriptor);
  ~WatchPage() override;
  WatchPage(const WatchPage&) = delete;
  WatchPage& operator=(const WatchPage&) = delete;

  int descriptor() const { return descriptor_; }

  // By the process that runs trials.

  /// Specification::timeout.
  void set_timeout(double seconds) { timeout_ = seconds; }
  void begin(const std::vector<uint64_t>& trials, double golden_seconds) override;
  void end() noexcept override;
  /// From now on the process ends in order if cancelled.
  void begin_order();
  /// Whether it shall end, and by which signal.
  const std::atomic<bool>& cancelled() const;
  int signal() const;
  /// That it ended in order and says so itself, however long it takes to be gone.
  void note_order();

  // By the process that looks on.

  struct Forward {
    uint64_t number = 0;  ///< counts forwards
    std::vector<uint64_t> trials;
    double limit = 0;  ///< seconds; infinity where it has none
  };
  /// Reliable once the other process has ended; while it runs, `trials` may be of the next forward.
  std::optional<Forward> under_way() const;
  void cancel(int signal);
  bool ends_in_order() const;
  bool ended_in_order() const;

 private:
  struct Shared;
  void map();

  int descriptor_ = -1;
  Shared* shared_ = nullptr;
  double timeout_ = 0;
};

/// Whether a forward takes longer than it may. Time is counted in looks, so that a machine that slept or
/// processes that were stopped do not make a hang.
class HangClock {
 public:
  /// The forward, if it is overdue. To be called several times a second.
  std::optional<WatchPage::Forward> overdue(const WatchPage& page);

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_look_ = Clock::now();
  uint64_t forward_ = 0;
  double seconds_ = 0;
};

}  // namespace faultwave
