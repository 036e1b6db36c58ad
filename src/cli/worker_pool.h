// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include <sys/types.h>

#include "faultwave/campaign.h"

namespace faultwave::cli {

/// Processes of this program that run blocks of one campaign, each with threads of its own (`faultwave
/// worker`). Blocks go to them as lines of text on their standard input, results come back on their standard
/// output.
class WorkerPool {
 public:
  /// Starts the workers. `threads` and `memory`, in bytes, are for all of them together. `cancel` ends run()
  /// at the next chance.
  WorkerPool(const std::string& database, const std::string& specification, int workers, int threads,
             int64_t memory, const std::atomic<bool>& cancel);
  /// Ends workers that are still there.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// As a BlockRunner. Throws UserError(store) if a worker dies: what was committed stays.
  bool run(const Round& round, const std::vector<Block>& blocks,
           const std::function<void(const BlockResult&)>& done);

 private:
  struct Worker {
    pid_t process = 0;
    int to = -1;    // its standard input
    int from = -1;  // its standard output
    bool is_busy = false;
    std::vector<uint8_t> received{};
  };
  static Worker start(const std::vector<std::string>& arguments);
  void give_work(std::deque<Block>& waiting);
  /// Reads what a worker has sent; a whole result goes to `done`.
  void receive(Worker& worker, const std::function<void(const BlockResult&)>& done);
  [[noreturn]] void fail(Worker& worker);

  std::vector<Worker> workers_;
  const std::atomic<bool>& cancel_;
};

/// The other side: runs the blocks that standard input names, until it ends.
void run_worker(const Campaign& campaign, const Store& store);

}  // namespace faultwave::cli
