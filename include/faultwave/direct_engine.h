// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/engine.h"
#include "faultwave/error.h"
#include "faultwave/injector.h"
#include "faultwave/inputs.h"
#include "faultwave/network.h"

#pragma GCC visibility push(default)
namespace faultwave {

struct DirectOptions {
  int64_t batch = 16;              ///< most trials of one forward; 1 for a network that fixes its batch size
  c10::Device device = c10::kCPU;  ///< where inputs are moved to; the network must be there
  std::optional<c10::ScalarType> dtype;  ///< floating-point inputs are converted to it
  /// For a network that draws random numbers or was exported in train mode: each forward, golden or faulty,
  /// begins with torch's generators seeded with this key, and holds one input.
  std::optional<uint64_t> random_key = {};
};

namespace detail {
class SteadyNetwork;
}

/// The reference engine: every trial is a real faulty forward. Trials whose faults lie in tensors that grow
/// with the batch share a forward, each in a batch element of its own; a weight fault needs a forward for
/// itself. The golden output that a trial is compared with comes from the same inputs at the same batch size,
/// so a masked fault compares bitwise equal. A trial that has no memory runs again with fewer beside it, and
/// at last alone; if there is none then either, for a golden run, run() ends with UserError(bad_network). The
/// network must take one tensor with the batch on axis 0.
///
/// Every forward begins from the state that the network had when the engine was made, and with the same
/// random numbers; both are put back after it. Where a network takes no single input, the input is repeated
/// as often as it must be. Trials do not share forwards where an input's outputs depend on the inputs beside
/// it.
class DirectEngine : public Engine {
 public:
  /// `injector` must outlive the engine. Runs the fault-free network a few times. Throws
  /// UserError(bad_network), naming the operator, if it gives other outputs when run again on the same input,
  /// draws random numbers, or is in train mode (DirectOptions::random_key), and naming the input, if it
  /// throws.
  DirectEngine(std::shared_ptr<Network> network, const Injector& injector,
               std::shared_ptr<const InputSet> inputs, const DirectOptions& options = {});

  void run(const std::vector<Trial>& trials, const TrialSink& sink) override;
  void tell(ForwardWatch* watch) override { watch_ = watch; }

  /// Golden outputs of one input, run alone: one batch element each, on the CPU.
  std::vector<at::Tensor> golden(int64_t input);

  /// Whether the network draws random numbers or is in train mode, and so runs by a random key.
  bool is_unsteady() const { return is_unsteady_; }

 private:
  struct Golden {
    std::vector<int64_t> inputs;
    std::vector<at::Tensor> outputs;  // whole batch, CPU
    double seconds = 0;               // that the forward took
  };
  using Group = std::vector<size_t>;  // positions in the trials of one call
  struct FaultyRun {
    std::vector<at::Tensor> outputs;  // whole batch, CPU; empty where it crashed
    std::vector<Receipt> receipts;    // of all faults in order
    std::string crash;
  };

  std::vector<Group> group(const std::vector<Trial>& trials) const;
  bool can_share(const Trial& trial) const;
  void run_group(const std::vector<Trial>& trials, const Group& group, const TrialSink& sink);
  static FaultyRun crashed(std::string reason);
  void run_halves(const std::vector<Trial>& trials, const Group& group, const TrialSink& sink);
  FaultyRun run_faulty(const std::vector<Trial>& trials, const Group& group, const at::Tensor& batch,
                       double golden_seconds) const;
  /// One trial whose run had no memory. Throws UserError if there is none for a golden run either.
  FaultyRun run_in_shortage(const Trial& trial, const at::Tensor& batch, double golden_seconds,
                            const std::exception& first);
  UserError no_memory(const Trial& trial, const std::exception& error) const;
  int64_t bytes_of_network() const;
  void give_back_memory();
  void hand_over(const std::vector<Trial>& trials, const Group& group, const std::vector<at::Tensor>& golden,
                 FaultyRun run, const TrialSink& sink) const;
  /// These inputs as a batch that the network takes: the last one is repeated where there are too few.
  at::Tensor stack(const std::vector<int64_t>& inputs) const;
  std::vector<at::Tensor> faulty_outputs(const std::vector<Fault>& faults, const at::Tensor& batch,
                                         std::vector<Receipt>& receipts) const;
  std::vector<at::Tensor> golden_outputs(const std::vector<int64_t>& inputs, const at::Tensor& batch) const;
  const Golden& golden_batch(const std::vector<int64_t>& inputs, const at::Tensor& batch);
  std::vector<at::Tensor> element(const std::vector<at::Tensor>& outputs, int64_t number) const;
  void find_batches();
  void find_output_axes(const std::vector<at::Tensor>& single, bool must_run_alone);
  bool find_axes(const std::vector<at::Tensor>& small, const std::vector<at::Tensor>& large);
  void run_alone(const std::vector<at::Tensor>& single);
  at::Tensor other_than_first() const;

  std::shared_ptr<Network> network_;
  const Injector& injector_;
  std::shared_ptr<const InputSet> inputs_;
  DirectOptions options_;
  std::shared_ptr<detail::SteadyNetwork> steady_;
  std::shared_ptr<void> memory_;      // freed tensors' memory, which all engines share and keep for reuse
  std::vector<int64_t> output_axes_;  // batch axis of each output, -1 for none
  std::list<Golden> golden_;          // most recently used first
  ForwardWatch* watch_ = nullptr;
  int64_t smallest_batch_ = 1;  // that the network takes
  bool is_unsteady_ = false;
};

}  // namespace faultwave
#pragma GCC visibility pop
