// SPDX-License-Identifier: Apache-2.0
#include "src/cli/worker_pool.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iostream>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultwave/error.h"

#include "src/store/block_codec.h"

namespace faultwave::cli {
namespace {

constexpr int kPollMilliseconds = 200;

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw UserError(ErrorCode::store, std::string("cannot start workers: ") + std::strerror(errno));
  }
  return {ends[0], ends[1]};
}

void write_all(int descriptor, const void* data, size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, from, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a dead worker is noticed when its output ends
    from += written;
    size -= static_cast<size_t>(written);
  }
}

/// How a process ended, for a message.
std::string end_of(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

BlockResult run_block(const Campaign& campaign, const Round& round, const Block& block, const Store& store) {
  const std::atomic<bool> never{false};
  try {
    return campaign.run_block(round, block, never, {}).value();
  } catch (const Disagreement& disagreement) {
    disagreement.keep(store.path());
  }
}

}  // namespace

WorkerPool::WorkerPool(const std::string& database, const std::string& specification, int workers,
                       int threads, int64_t memory, const std::atomic<bool>& cancel)
    : cancel_(cancel) {
  // Writing to a worker that died must not end this process.
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> arguments = {
      "worker",    database,
      "--threads", std::to_string(std::max(1, threads / workers)),
      "--memory",  std::to_string(std::max<int64_t>(1, (memory >> 20) / workers))};
  if (!specification.empty()) arguments.insert(arguments.end(), {"--spec", specification});
  for (int i = 0; i < workers; ++i)
    workers_.push_back(start(arguments));
}

WorkerPool::~WorkerPool() {
  for (const Worker& worker : workers_) {
    ::close(worker.to);
    ::close(worker.from);
    // One at work would only notice the closed pipe at the end of its block.
    if (worker.is_busy) ::kill(worker.process, SIGKILL);
  }
  for (const Worker& worker : workers_)
    ::waitpid(worker.process, nullptr, 0);
}

WorkerPool::Worker WorkerPool::start(const std::vector<std::string>& arguments) {
  const Pipe to = make_pipe();
  const Pipe from = make_pipe();
  std::vector<char*> argv;
  std::string program = "/proc/self/exe";
  argv.push_back(program.data());
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  const pid_t process = ::fork();
  if (process < 0) {
    throw UserError(ErrorCode::store, std::string("cannot start workers: ") + std::strerror(errno));
  }
  if (process == 0) {
    ::dup2(to.read, STDIN_FILENO);
    ::dup2(from.write, STDOUT_FILENO);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  ::close(to.read);
  ::close(from.write);
  return {.process = process, .to = to.write, .from = from.read};
}

void WorkerPool::give_work(std::deque<Block>& waiting) {
  for (Worker& worker : workers_) {
    if (worker.is_busy || waiting.empty()) continue;
    const std::string line = std::to_string(waiting.front().number) + "\n";
    waiting.pop_front();
    write_all(worker.to, line.data(), line.size());
    worker.is_busy = true;
  }
}

bool WorkerPool::run(const Round&, const std::vector<Block>& blocks,
                     const std::function<void(const BlockResult&)>& done) {
  std::deque<Block> waiting(blocks.begin(), blocks.end());
  size_t finished = 0;
  const auto count = [&](const BlockResult& result) {
    done(result);
    ++finished;
  };
  while (finished < blocks.size()) {
    if (cancel_) return false;
    give_work(waiting);
    std::vector<pollfd> sources;
    for (const Worker& worker : workers_)
      sources.push_back({worker.from, POLLIN, 0});
    if (::poll(sources.data(), sources.size(), kPollMilliseconds) <= 0) continue;
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].revents != 0) receive(workers_[i], count);
    }
  }
  return true;
}

void WorkerPool::receive(Worker& worker, const std::function<void(const BlockResult&)>& done) {
  uint8_t buffer[1 << 16];
  const ssize_t size = ::read(worker.from, buffer, sizeof buffer);
  if (size < 0 && errno == EINTR) return;
  if (size <= 0) fail(worker);
  worker.received.insert(worker.received.end(), buffer, buffer + size);
  uint64_t length = 0;
  if (worker.received.size() < sizeof length) return;
  std::memcpy(&length, worker.received.data(), sizeof length);
  if (worker.received.size() < sizeof length + length) return;
  const std::vector<uint8_t> bytes(worker.received.begin() + sizeof length, worker.received.end());
  worker.received.clear();
  worker.is_busy = false;
  done(decode_block(bytes));
}

void WorkerPool::fail(Worker& worker) {
  int status = 0;
  ::waitpid(worker.process, &status, 0);
  ::close(worker.to);
  ::close(worker.from);
  const std::string how = end_of(status);
  workers_.erase(workers_.begin() + (&worker - workers_.data()));
  throw UserError(ErrorCode::store,
                  "a worker " + how +
                      "; what was recorded stays: go on with `faultwave resume`, with fewer "
                      "workers if memory was short");
}

void run_worker(const Campaign& campaign, const Store& store) {
  // Ctrl-C reaches all processes of a terminal; the first process decides what becomes of it.
  ::signal(SIGINT, SIG_IGN);
  const CampaignInfo& info = store.info();
  for (int64_t number = 0; std::cin >> number;) {
    const std::vector<Round> rounds = store.rounds();
    const int64_t first = number * info.block;
    const Round& round = *std::find_if(rounds.begin(), rounds.end(), [&](const Round& candidate) {
      return first >= candidate.first_trial && first < candidate.first_trial + candidate.trials;
    });
    const int64_t end = round.first_trial + round.trials;
    const Block block{number, first, std::min(info.block, end - first)};
    const std::vector<uint8_t> bytes = encode_block(run_block(campaign, round, block, store));
    const uint64_t length = bytes.size();
    write_all(STDOUT_FILENO, &length, sizeof length);
    write_all(STDOUT_FILENO, bytes.data(), bytes.size());
  }
}

}  // namespace faultwave::cli
