// SPDX-License-Identifier: Apache-2.0
// One of the processes that `run --workers` starts. Not for people: it is left out of the help.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/campaign.h"
#include "faultwave/error.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/run_blocks.h"
#include "src/store/block_codec.h"
#include "src/workers/watch_page.h"
#include "src/workers/worker_channel.h"

namespace faultwave::cli {
namespace {

struct WorkerOptions {
  std::string database;
  std::string specification;
  int socket = -1;
  int page = -1;
  int64_t memory = 0;
  std::vector<std::string> plugins;
  NetworkFlags network;
};

/// Does what the lines on the socket say, until it ends.
class Worker {
 public:
  Worker(const Campaign& campaign, const Store& store, int socket)
      : campaign_(campaign), store_(store), socket_(socket) {}

  void run() {
    LineReader orders(socket_);
    while (const auto order = orders.next()) {
      const int64_t number = std::stoll(order->substr(order->find(' ')));
      if (order->rfind("alone ", 0) == 0) {
        run_alone(number);
      } else {
        run_block(number);
      }
    }
  }

 private:
  Round round_of(int64_t trial) const {
    const std::vector<Round> rounds = store_.rounds();
    return *std::find_if(rounds.begin(), rounds.end(), [&](const Round& round) {
      return trial >= round.first_trial && trial < round.first_trial + round.trials;
    });
  }

  /// Only to see whether the process survives it.
  void run_alone(int64_t trial) {
    campaign_.replay(trial, Shares{round_of(trial).shares});
    write_frame(socket_, FrameKind::trial_survived, {});
  }

  void run_block(int64_t number) {
    const Round round = round_of(number * store_.info().block);
    const std::vector<Block> open = store_.open_blocks(round);
    const auto block = std::find_if(open.begin(), open.end(),
                                    [&](const Block& candidate) { return candidate.number == number; });
    if (block == open.end()) throw InternalError("a worker was given a block that is not open");
    const auto send = [&](const BlockResult& result) {
      write_frame(socket_, FrameKind::piece_of_block, encode_block(result));
    };
    try {
      const auto rest = campaign_.run_block(round, *block, {}, {}, send);
      write_frame(socket_, FrameKind::end_of_block, encode_block(rest.value()));
    } catch (const Disagreement& disagreement) {
      disagreement.keep(store_.path());
    }
  }

  const Campaign& campaign_;
  const Store& store_;
  int socket_;
};

void work(const WorkerOptions& options) {
  // Ctrl-C reaches all processes of a terminal; the first process decides what becomes of it.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_IGN);
  load_plugins(options.plugins);
  WatchPage page(options.page);
  const Store store = Store::open(options.database, Store::Access::read);
  Specification specification = recorded_specification(store, options.specification);
  apply(options.network, specification);
  specification.memory_bytes = options.memory;
  const Campaign campaign = open_campaign(specification, &store);
  check_same_campaign(store.info(), campaign.info(specification, ""), options.database);
  watch_forwards(campaign, page);
  Worker(campaign, store, options.socket).run();
}

}  // namespace

void add_worker(CLI::App& program) {
  CLI::App* command = program.add_subcommand("worker", "");
  command->group("");
  const auto options = std::make_shared<WorkerOptions>();
  command->add_option("DB", options->database)->required();
  command->add_option("--spec", options->specification);
  command->add_option("--socket", options->socket)->required();
  command->add_option("--page", options->page)->required();
  add_memory_flag(*command, options->memory);
  add_network_flags(*command, options->network);
  add_plugin_flag(*command, options->plugins);
  command->callback([options] { work(*options); });
}

}  // namespace faultwave::cli
