// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/ivalue.h>

#include <optional>
#include <vector>

#include "src/model/batch_axes.h"
#include "src/model/steady_network.h"

namespace faultwave::detail {

/// What a network does beside computing its outputs from its inputs, operator by operator.
struct Habits {
  bool draws = false;   ///< random numbers
  bool trains = false;  ///< takes statistics of the batch in place of those that it has stored
  /// Its code asks tensors for numbers (`if x.max() > 0`), so that what one input holds may decide what is
  /// done with those beside it.
  bool asks = false;
  bool needs_key() const { return draws || trains; }
};

struct RepeatCheck {
  Habits habits;
  std::vector<at::Tensor> outputs;  ///< of the inputs: on the CPU, in memory of their own
};

/// Runs the fault-free network on `inputs`, on `others` where they are given, and on `inputs` again, and
/// compares the outputs bit for bit (NaN equal to NaN).
/// Throws UserError(bad_network), naming the operator and its place, if they differ; if random numbers are
/// drawn, or a norm is in train mode, and there is no random key; or if something is written to that cannot
/// be put back. Throws what the network throws on `inputs`.
RepeatCheck check_repeats(SteadyNetwork& network, const std::vector<c10::IValue>& inputs,
                          const std::optional<std::vector<c10::IValue>>& others);

/// Whether the outputs for one input depend on the inputs beside it. `alike` are the outputs for `batch`,
/// which holds one input several times; `other` is a batch that begins with another one; `axes` are those of
/// inputs, `output_axes` has the batch axis of each output. True also where the network fails on such
/// batches, since then it cannot be known.
bool elements_meet(SteadyNetwork& network, const BatchAxes& axes, const std::vector<at::Tensor>& alike,
                   const std::vector<c10::IValue>& batch, const std::vector<c10::IValue>& other,
                   const std::vector<int64_t>& output_axes);

/// Bit for bit, types and shapes included; any NaN is equal to any other.
bool are_same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b);

}  // namespace faultwave::detail
