// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <utility>
#include <vector>

#include "faultwave/network.h"

namespace faultwave::detail {

/// What a dummy inference may disturb, kept at construction and put back at destruction: training modes, the
/// values of buffers, and the state of the global random generators of the CPU and of the devices in use.
class PreservedState {
 public:
  /// `enter_eval` switches the network to eval mode and returns the undo; may be empty.
  PreservedState(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& buffers,
                 const std::function<std::function<void()>()>& enter_eval);
  ~PreservedState();
  PreservedState(const PreservedState&) = delete;
  PreservedState& operator=(const PreservedState&) = delete;

 private:
  struct Buffer {
    at::Tensor tensor;
    at::Tensor value;
  };
  std::vector<Buffer> buffers_;
  std::vector<std::pair<at::Generator, at::Tensor>> generators_;
  std::function<void()> leave_eval_;
};

}  // namespace faultwave::detail
