// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/injector.h"
#include "faultwave/inputs.h"
#include "faultwave/network.h"

#pragma GCC visibility push(default)
namespace faultwave {

namespace detail {
class [[gnu::visibility("hidden")]] GoldenRuns;
}

struct WorkloadOptions {
  std::string name = "the network";           ///< what messages call it
  c10::Device device = c10::kCPU;             ///< where inputs are moved to; the network must be there
  std::optional<c10::ScalarType> dtype = {};  ///< floating-point inputs are converted to it
  /// For a network that draws random numbers or was exported in train mode: each forward, golden or faulty,
  /// begins with torch's generators seeded with this key, and holds one input.
  std::optional<uint64_t> random_key = {};
};

/// A network and the inputs that it is run on: what trials run on. Engines share it, and it owns all that
/// they need. Only its network runs; nothing of it is changed.
///
/// Every forward, golden or faulty, begins from the state that the network had when this was made, and with
/// the same random numbers; both are put back after it. Where a network takes no single input, the input is
/// repeated as often as it must be. One thread at a time.
class Workload {
 public:
  /// Profiles the network on the first input (Injector), and runs it a few times without faults to learn how
  /// inputs share a forward. Throws UserError(bad_network), naming the operator, if it gives other outputs
  /// when run again on the same input, draws random numbers, or is in train mode
  /// (WorkloadOptions::random_key); and naming the input, if it throws.
  Workload(std::shared_ptr<Network> network, std::shared_ptr<const InputSet> inputs,
           const WorkloadOptions& options = {});
  ~Workload();
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  const Injector& injector() const { return *injector_; }
  const InputSet& inputs() const { return *inputs_; }
  const WorkloadOptions& options() const { return options_; }

  /// Records the range of each site over the first `count` inputs, for INT8 emulation (Injector::calibrate).
  void calibrate(int64_t count);

  /// Golden outputs of one input, run alone: of one batch element (batch axis removed), on the CPU. The last
  /// few are kept.
  std::vector<at::Tensor> golden(int64_t input);

  /// Golden outputs of the first `count` inputs, or of all where there are fewer, from one forward where
  /// inputs share one: to look at, since the last bits may be other ones than those of golden().
  std::vector<std::vector<at::Tensor>> look_at_first(int64_t count);

  /// Whether the network draws random numbers or is in train mode, and so runs by a random key.
  bool is_unsteady() const;

  /// SHA-256 in hex over parameters and buffers (names, types, shapes, values) and over the operator calls of
  /// a forward with the shapes that they give: what a campaign calls the same network where there is no file.
  std::string fingerprint() const;

  /// For engines.
  detail::GoldenRuns& runs() { return *runs_; }

 private:
  std::shared_ptr<Network> network_;
  std::shared_ptr<const InputSet> inputs_;
  WorkloadOptions options_;
  std::unique_ptr<detail::GoldenRuns> runs_;
  std::unique_ptr<Injector> injector_;
};

}  // namespace faultwave
#pragma GCC visibility pop
