// SPDX-License-Identifier: Apache-2.0
#include "src/workers/worker.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/error.h"

#include "src/store/block_codec.h"
#include "src/workers/worker_channel.h"

namespace faultwave {
namespace {

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

}  // namespace

void watch_forwards(const Campaign& campaign, WatchPage& page) {
  page.set_timeout(campaign.specification().timeout);
  campaign.parts().engine->tell(&page);
  if (campaign.parts().exact) campaign.parts().exact->tell(&page);
}

void serve_blocks(const Campaign& campaign, const Store& store, int socket, WatchPage& page) {
  watch_forwards(campaign, page);
  Worker(campaign, store, socket).run();
}

}  // namespace faultwave
