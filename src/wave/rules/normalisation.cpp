// SPDX-License-Identifier: Apache-2.0
// Operators that look at whole rows.
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <utility>

#include "src/wave/rule.h"
#include "src/wave/rules/row_pass.h"

namespace faultwave::wave {
namespace {

/// The operator itself on the rows that differ. These are its first argument; the others are those of
/// `stack`.
std::vector<Shadow> on_rows(const Call& call, int64_t axis, const std::vector<c10::IValue>& stack) {
  const at::Tensor golden = call.tensor(0);
  const Shadow& in = *call.shadow_of(0);
  const Shadow rows = in.axis == axis ? in : to_rows(settled(in), golden, axis);
  return {pass_whole_rows(rows, golden, call.result(), [&](const at::Tensor& values) {
    std::vector<c10::IValue> arguments = stack;
    arguments[0] = values;
    return call.run(std::move(arguments));
  })};
}

}  // namespace

// layer_norm(input, normalized_shape, weight, bias, eps, cudnn_enable) over the last axis.
std::optional<std::vector<Shadow>> layer_norm_rule(const Call& call) {
  const bool fits = call.is_only_shadowed(0) && call.arguments[1].toIntVector().size() == 1;
  if (!fits) return std::nullopt;
  return on_rows(call, call.tensor(0).dim() - 1, call.arguments);
}

// softmax(input, dim, dtype)
std::optional<std::vector<Shadow>> softmax_rule(const Call& call) {
  const at::Tensor golden = call.tensor(0);
  const bool fits = call.is_only_shadowed(0) && call.arguments[1].isInt() && golden.dim() > 0;
  if (!fits) return std::nullopt;
  std::vector<c10::IValue> stack = call.arguments;
  stack[1] = int64_t{1};
  return on_rows(call, c10::maybe_wrap_dim(call.arguments[1].toInt(), golden.dim()), stack);
}

}  // namespace faultwave::wave
