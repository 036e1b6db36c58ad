// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "faultwave/engine.h"
#include "faultwave/error.h"
#include "faultwave/workload.h"

#pragma GCC visibility push(default)
namespace faultwave {

struct DirectOptions {
  int64_t batch = 16;  ///< most trials of one forward; 1 for a network that fixes its batch size
};

/// The reference engine: every trial is a real faulty forward. Trials whose faults lie in tensors that grow
/// with the batch share a forward, each in a batch element of its own; a weight fault needs a forward for
/// itself. The golden output that a trial is compared with comes from the same inputs at the same batch size,
/// so a masked fault compares bitwise equal. A trial that has no memory runs again with fewer beside it, and
/// at last alone; if there is none then either, for a golden run, run() ends with UserError(bad_network).
///
/// Trials do not share forwards where an input's outputs depend on the inputs beside it. Freed tensors'
/// memory is kept for reuse by one engine of the process at a time (detail::MemoryPool).
class DirectEngine : public Engine {
 public:
  explicit DirectEngine(std::shared_ptr<Workload> workload, const DirectOptions& options = {});

  void run(const std::vector<Trial>& trials, const TrialSink& sink) override;
  void tell(ForwardWatch* watch) override { watch_ = watch; }

 private:
  using Batch = std::vector<c10::IValue>;
  using Group = std::vector<size_t>;  // positions in the trials of one call
  struct FaultyRun {
    std::vector<at::Tensor> outputs;  // whole batch, CPU; empty where it crashed
    std::vector<Receipt> receipts;    // of all faults in order
    std::string crash;
  };

  std::vector<Group> group(const std::vector<Trial>& trials) const;
  void run_group(const std::vector<Trial>& trials, const Group& group, const TrialSink& sink);
  static FaultyRun crashed(std::string reason);
  void run_halves(const std::vector<Trial>& trials, const Group& group, const TrialSink& sink);
  FaultyRun run_faulty(const std::vector<Trial>& trials, const Group& group, const Batch& batch,
                       double golden_seconds) const;
  /// One trial whose run had no memory. Throws UserError if there is none for a golden run either.
  FaultyRun run_in_shortage(const Trial& trial, const Batch& batch, double golden_seconds,
                            const std::exception& first);
  UserError no_memory(const Trial& trial, const std::exception& error) const;
  int64_t bytes_of_network() const;
  void give_back_memory();
  void hand_over(const std::vector<Trial>& trials, const Group& group, const std::vector<at::Tensor>& golden,
                 FaultyRun run, const TrialSink& sink) const;
  std::vector<at::Tensor> faulty_outputs(const std::vector<Fault>& faults, const Batch& batch,
                                         std::vector<Receipt>& receipts) const;

  std::shared_ptr<Workload> workload_;
  detail::GoldenRuns& runs_;      // of the workload
  const Injector& injector_;      // likewise
  int64_t most_;                  // trials of one forward
  std::shared_ptr<void> memory_;  // freed tensors' memory, which all engines share and keep for reuse
  ForwardWatch* watch_ = nullptr;
};

}  // namespace faultwave
#pragma GCC visibility pop
