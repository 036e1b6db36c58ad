// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "faultwave/campaign.h"

#include "src/workers/ended_process.h"
#include "src/workers/watch_page.h"

namespace faultwave {

struct WorkerSettings {
  /// Starts a worker; its arguments follow.
  std::vector<std::string> command = {"/proc/self/exe", "worker"};
  std::string database;
  std::string specification;  ///< where it lies now, "" where it was
  int workers = 1;
  int threads = 1;     ///< of all of them together
  int64_t memory = 0;  ///< likewise, in bytes
};

/// Processes that run blocks of one campaign (worker.h), each with threads of its own. Orders go to them as
/// lines of text, results come back as frames, both on a socket that they inherit beside their standard
/// streams.
///
/// A worker may die by a fault, or have to be killed since a forward does not end. Then the trials of that
/// forward are run one by one, in a new worker: those that end it too are recorded as ended, and the part of
/// the block is run again without them.
class WorkerPool {
 public:
  /// Starts the workers. `cancel` ends run() at the next chance.
  WorkerPool(const Campaign& campaign, WorkerSettings settings, CancelCheck cancel);
  /// Ends workers that are still there.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Trials that ended a process before there were workers; looked into first.
  void begin_with(const EndedTrials& ended) { ended_ = ended; }

  /// As a BlockRunner. Throws UserError(store) if a worker dies otherwise than by a fault: what was committed
  /// stays.
  bool run(const Round& round, const std::vector<Block>& blocks,
           const std::function<void(const BlockResult&)>& done);

 private:
  struct Worker;
  class Run;

  void start(Worker& worker) const;
  [[noreturn]] static void fail(int status);

  const Campaign& campaign_;
  WorkerSettings settings_;
  CancelCheck cancel_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<EndedTrials> ended_;
};

}  // namespace faultwave
