// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "faultwave/network.h"

#include "src/model/kept_random.h"

namespace faultwave::detail {

/// Runs a network so that each forward is the same experiment: from the state that the network had when this
/// was made, with torch's random generators where they were then, or seeded with a key. Afterwards both are
/// as if there had been no forward, and a module's training modes too. This is how engines and commands run
/// networks.
class SteadyNetwork {
 public:
  explicit SteadyNetwork(std::shared_ptr<Network> network, std::optional<uint64_t> random_key = {});

  /// One forward. All that is the program's own work (copies of inputs, state) is done before run() and after
  /// it, so that run() alone may stand in the scope of an Armed or Intercept.
  class Forward {
   public:
    /// Copies the inputs, since a network may write to them.
    Forward(SteadyNetwork& network, const std::vector<c10::IValue>& inputs);
    /// Puts state and generators back. A failure shows when the next forward begins.
    ~Forward();
    Forward(const Forward&) = delete;
    Forward& operator=(const Forward&) = delete;

    /// The network's call, once. Outputs may lie in the network's own memory as long as this forward lasts.
    std::vector<at::Tensor> run();
    /// Outputs on the CPU, and no more in memory that is put back.
    std::vector<at::Tensor> keep(std::vector<at::Tensor> outputs) const;
    /// Puts back what the destructor would.
    void end();
    /// Whether the network has drawn random numbers since the forward began.
    bool has_drawn() const { return network_.random_.has_moved(); }

   private:
    SteadyNetwork& network_;
    std::vector<c10::IValue> inputs_;
    std::function<void()> leave_eval_;
  };

  /// A forward without faults: on the CPU, in memory of their own.
  std::vector<at::Tensor> run(const std::vector<c10::IValue>& inputs);

  Network& network() const { return *network_; }
  const std::shared_ptr<KeptState>& state() const { return state_; }
  bool has_random_key() const { return random_key_.has_value(); }

 private:
  std::shared_ptr<Network> network_;
  std::shared_ptr<KeptState> state_;
  KeptRandom random_;
  std::optional<uint64_t> random_key_;
};

}  // namespace faultwave::detail
