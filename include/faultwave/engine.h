// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "faultwave/fault.h"
#include "faultwave/receipt.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// One input, one or more faults. Faults of a trial are written for a batch of one: without `@`.
struct Trial {
  uint64_t number = 0;
  int64_t input = 0;  ///< position in the InputSet
  std::vector<Fault> faults;
};

/// What an engine hands over for each trial. Tensors are of one batch element (batch axis removed), on the
/// CPU, and valid during the call only.
struct TrialOutputs {
  std::vector<at::Tensor> golden;
  std::vector<at::Tensor> faulty;  ///< empty if the run crashed
  std::vector<Receipt> receipts;   ///< one a fault
  std::string crash;               ///< what was thrown, or ""
  /// How far finite values of `faulty` may lie from those of a real faulty run, in parts of the largest
  /// magnitude of their output, golden or faulty; 0: they are those.
  double rounding = 0;
};

/// Told when a forward that faults are armed in begins and ends, from the thread that calls Engine::run. A
/// fault may make a network loop for ever or end the process: whoever looks on from outside then knows which
/// trials it may have been.
class ForwardWatch {
 public:
  virtual ~ForwardWatch() = default;
  /// `trials`: the numbers of those that run in it. `golden_seconds`: how long the same forward took without
  /// faults; below 0 where the network takes the golden way whatever the faults are.
  virtual void begin(const std::vector<uint64_t>& trials, double golden_seconds) = 0;
  virtual void end() noexcept = 0;
};

/// Called once a trial, `index` counting within the call of Engine::run, in any order, from the calling
/// thread.
using TrialSink = std::function<void(size_t index, const TrialOutputs& outputs)>;

/// Runs trials. The outcome of a trial does not depend on the trials beside it, but for rounding. The sink
/// may throw: run() ends with what it threw, and the engine can be used again.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Throws UserError for an illegal fault (nothing of that call has been handed over then); an exception
  /// inside the network while a fault is armed is an outcome (TrialOutputs::crash).
  virtual void run(const std::vector<Trial>& trials, const TrialSink& sink) = 0;
  /// How many trials a call should have, for an engine that works better on many; 0 if it does not matter.
  virtual int64_t trials_a_call() const { return 0; }
  /// From now on, `watch` is told of forwards; null: nobody. It must outlive the calls of run().
  virtual void tell(ForwardWatch* watch) { static_cast<void>(watch); }
};

}  // namespace faultwave
#pragma GCC visibility pop
