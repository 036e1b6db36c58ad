// SPDX-License-Identifier: Apache-2.0
#include "src/workers/worker_pool.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultwave/error.h"
#include "faultwave/extension.h"

#include "src/store/block_codec.h"
#include "src/workers/worker_channel.h"

namespace faultwave {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr int kMostFruitless = 3;

UserError cannot_start() {
  return UserError(ErrorCode::store, std::string("cannot start workers: ") + std::strerror(errno));
}

/// How a process ended, for a message.
std::string end_of(int status) {
  if (WIFSIGNALED(status)) return "was ended by " + signal_name(WTERMSIG(status));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

/// In a new process, before it becomes a worker: descriptors that it keeps, standard streams that nobody
/// reads as results. Ctrl-C reaches all processes of a terminal; the first process decides what becomes of
/// it.
void prepare_worker(int socket, int page) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_IGN);
  for (const int kept : {socket, page})
    ::fcntl(kept, F_SETFD, 0);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

}  // namespace

struct WorkerPool::Worker {
  pid_t process = 0;
  int socket = -1;
  std::unique_ptr<WatchPage> page;
  HangClock clock;
  FrameReader received;

  std::optional<WatchPage::Forward> overdue;  // for which it was killed

  std::optional<Block> block;     // that is its own until it is done
  bool is_busy = false;           // with an order
  std::deque<uint64_t> suspects;  // of that block, to be run alone first
  bool looks_for_one = false;     // of the suspects; false once one was found
  int fruitless = 0;              // such looks that found none
};

WorkerPool::WorkerPool(const Campaign& campaign, WorkerSettings settings, CancelCheck cancel)
    : campaign_(campaign), settings_(std::move(settings)), cancel_(std::move(cancel)) {
  // Writing to a worker that died must not end this process.
  ::signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < settings_.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    start(*workers_.back());
  }
}

WorkerPool::~WorkerPool() {
  for (const auto& worker : workers_) {
    if (worker->process == 0) continue;
    ::close(worker->socket);
    // One at work would only notice the closed socket at the end of its block.
    if (worker->is_busy) ::kill(worker->process, SIGKILL);
  }
  for (const auto& worker : workers_) {
    if (worker->process != 0) ::waitpid(worker->process, nullptr, 0);
  }
}

void WorkerPool::start(Worker& worker) const {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw cannot_start();
  worker.page = std::make_unique<WatchPage>();
  std::vector<std::string> arguments = settings_.command;
  arguments.insert(arguments.end(),
                   {settings_.database, "--socket", std::to_string(ends[1]), "--page",
                    std::to_string(worker.page->descriptor()), "--threads",
                    std::to_string(std::max(1, settings_.threads / settings_.workers)), "--memory",
                    std::to_string(std::max<int64_t>(1, (settings_.memory >> 20) / settings_.workers))});
  if (!settings_.specification.empty())
    arguments.insert(arguments.end(), {"--spec", settings_.specification});
  for (const LoadedPlugin& plugin : loaded_plugins())
    arguments.insert(arguments.end(), {"--plugin", plugin.path});
  std::vector<char*> argv;
  for (std::string& argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) throw cannot_start();
  if (process == 0) {
    prepare_worker(ends[1], worker.page->descriptor());
    if (::getppid() == parent) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  worker.process = process;
  worker.socket = ends[0];
  worker.received = {};
  worker.clock = {};
  worker.overdue.reset();
  worker.is_busy = false;
}

void WorkerPool::fail(int status) {
  throw UserError(ErrorCode::store,
                  "a worker " + end_of(status) +
                      "; what was recorded stays: go on with `faultwave resume`, with fewer "
                      "workers if memory was short");
}

/// The blocks of one round.
class WorkerPool::Run {
 public:
  Run(WorkerPool& pool, const Round& round, const std::vector<Block>& blocks,
      const std::function<void(const BlockResult&)>& done)
      : pool_(pool),
        round_(round),
        done_(done),
        waiting_(blocks.begin(), blocks.end()),
        left_(blocks.size()) {
    if (pool.ended_) look_into(*pool.ended_);
    pool.ended_.reset();
  }

  /// Whether it was not cancelled.
  bool run() {
    while (left_ > 0) {
      if (pool_.cancel_ && pool_.cancel_()) return false;
      for (const auto& worker : pool_.workers_)
        give_work(*worker);
      std::vector<pollfd> sources;
      for (const auto& worker : pool_.workers_)
        sources.push_back({worker->socket, POLLIN, 0});
      const int ready = ::poll(sources.data(), sources.size(), kPollMilliseconds);
      for (size_t i = 0; i < sources.size(); ++i) {
        Worker& worker = *pool_.workers_[i];
        if (ready > 0 && sources[i].revents != 0) receive(worker);
        if (worker.overdue) continue;
        worker.overdue = worker.clock.overdue(*worker.page);
        if (worker.overdue) ::kill(worker.process, SIGKILL);  // noticed when its socket ends
      }
    }
    return true;
  }

 private:
  /// Trials that ended a process before this run began, in the block that they are of.
  void look_into(const EndedTrials& ended) {
    const auto has_them = [&](const Block& block) {
      const auto first = static_cast<int64_t>(ended.trials.at(0));
      return first >= block.first_trial && first < block.first_trial + block.trials;
    };
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), has_them);
    if (found == waiting_.end()) return;
    Worker& worker = *pool_.workers_.front();
    worker.block = *found;
    waiting_.erase(found);
    suspect(worker, ended);
  }

  void suspect(Worker& worker, const EndedTrials& ended) {
    if (ended.trials.size() == 1) {
      const auto trial = static_cast<int64_t>(ended.trials[0]);
      done_(pool_.campaign_.ended_trial(round_, *worker.block, trial, ended.outcome, ended.how));
      worker.looks_for_one = false;
      worker.fruitless = 0;
      return;
    }
    worker.suspects.assign(ended.trials.begin(), ended.trials.end());
    worker.looks_for_one = true;
  }

  void give_work(Worker& worker) {
    if (worker.is_busy) return;
    if (!worker.block && !waiting_.empty()) {
      worker.block = waiting_.front();
      waiting_.pop_front();
    }
    if (!worker.block) return;
    if (!worker.suspects.empty()) {
      order(worker, "alone " + std::to_string(worker.suspects.front()));
      return;
    }
    if (std::exchange(worker.looks_for_one, false)) note_fruitless(worker);
    order(worker, "block " + std::to_string(worker.block->number));
  }

  /// None of the suspects did it alone. Once that may be a machine that was too busy for a while.
  static void note_fruitless(Worker& worker) {
    if (++worker.fruitless < kMostFruitless) return;
    throw UserError(
        ErrorCode::store,
        "trials of block " + std::to_string(worker.block->number) +
            " end the process that runs them together, or take too long, and none of them does so "
            "alone; what was recorded stays: begin a new campaign with batch = 1");
  }

  static void order(Worker& worker, const std::string& line) {
    write_all(worker.socket, line + "\n");
    worker.is_busy = true;
  }

  void receive(Worker& worker) {
    if (!worker.received.read_from(worker.socket)) {
      bury(worker);
      return;
    }
    while (const auto frame = worker.received.next()) {
      if (frame->kind == FrameKind::trial_survived) {
        worker.suspects.pop_front();
        worker.is_busy = false;
        continue;
      }
      done_(decode_block(frame->bytes));
      if (frame->kind == FrameKind::piece_of_block) continue;
      worker.is_busy = false;
      worker.block.reset();
      worker.fruitless = 0;
      --left_;
    }
  }

  /// What is to be thought of a worker that is no more, and another in its place.
  void bury(Worker& worker) {
    int status = 0;
    ::waitpid(worker.process, &status, 0);
    ::close(worker.socket);
    worker.process = 0;
    const auto ended = ended_trials(*worker.page, status, worker.overdue);
    if (!ended || !worker.block) fail(status);
    if (!worker.suspects.empty()) worker.suspects.pop_front();
    const std::deque<uint64_t> others = std::exchange(worker.suspects, {});
    suspect(worker, *ended);
    if (!others.empty()) worker.suspects = others;
    pool_.start(worker);
  }

  WorkerPool& pool_;
  const Round& round_;
  const std::function<void(const BlockResult&)>& done_;
  std::deque<Block> waiting_;
  size_t left_;
};

bool WorkerPool::run(const Round& round, const std::vector<Block>& blocks,
                     const std::function<void(const BlockResult&)>& done) {
  return Run(*this, round, blocks, done).run();
}

}  // namespace faultwave
