// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <mutex>

#include "src/fault/fault_plan.h"

namespace faultwave::detail {

/// Applies faults to gradients while backward passes run, on whatever threads these run.
///
/// Note: where hooks live. A hook belongs to a tensor of one forward, never to a parameter: the gradient of a
/// parameter is met at a view of it that the forward reads in its place. So a hook sees what that forward
/// adds, other threads that train the same network are left alone, and hooks go when the forward's graph
/// goes. A graph that outlives the armed scope keeps hooks that do nothing.
class GradientHooks {
 public:
  GradientHooks() : state_(std::make_shared<State>()) {}
  ~GradientHooks() { end(); }
  GradientHooks(const GradientHooks&) = delete;
  GradientHooks& operator=(const GradientHooks&) = delete;

  /// Until end(), `plan` is applied to each gradient that arrives at `tensor`, which requires one and is no
  /// leaf. `forward`: the one that the tensor is of. Several at one tensor act in the order added.
  void add(const at::Tensor& tensor, FaultPlan& plan, int64_t forward);

  /// Waits for a hook that is at work. None acts afterwards.
  void end();

  /// Held while plans are read.
  std::unique_lock<std::mutex> lock() const { return std::unique_lock(state_->mutex); }

 private:
  struct State {
    std::mutex mutex;
    bool is_armed = true;
  };
  std::shared_ptr<State> state_;
};

}  // namespace faultwave::detail
