// SPDX-License-Identifier: Apache-2.0
// Operators that look at whole rows.
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <optional>
#include <utility>

#include "src/wave/operators/operator.h"
#include "src/wave/rules/row_pass.h"

namespace faultwave::wave {
namespace {

/// The axis that rows run along; none for a call that does not look at rows along one axis.
std::optional<int64_t> axis_of(const Call& call, const WholeRows& rows) {
  const int64_t axes = call.tensor(0).dim();
  if (axes == 0) return std::nullopt;
  if (!rows.shape.empty() && call.argument(rows.shape).toIntVector().size() != 1) return std::nullopt;
  if (rows.axis.empty()) return axes - 1;
  const c10::IValue& axis = call.argument(rows.axis);
  return axis.isInt() ? std::optional(c10::maybe_wrap_dim(axis.toInt(), axes)) : std::nullopt;
}

}  // namespace

// layer_norm(input, normalized_shape, weight, bias, ...) over the last axis, softmax(input, dim, dtype), and
// others that WholeRows describes: the operator itself on the rows that differ, as [rows, values].
std::optional<std::vector<Shadow>> whole_rows_rule(const Call& call) {
  if (!call.is_only_shadowed(0) || call.results.size() != 1) return std::nullopt;
  const WholeRows& about = call.described().rows.value();
  const at::Tensor golden = call.tensor(0);
  const std::optional<int64_t> axis = axis_of(call, about);
  if (!axis || call.result().sizes() != golden.sizes()) return std::nullopt;
  std::vector<c10::IValue> stack = call.arguments;
  if (!about.axis.empty()) stack[static_cast<size_t>(call.position_of(about.axis))] = int64_t{1};
  const Shadow& in = *call.shadow_of(0);
  const Shadow rows = in.form.axis == *axis ? in : to_rows(settled(in), golden, *axis);
  return std::vector<Shadow>{pass_whole_rows(rows, golden, call.result(), [&](const at::Tensor& values) {
    std::vector<c10::IValue> arguments = stack;
    arguments[0] = values;
    return call.run_as_described(std::move(arguments), values.sizes());
  })};
}

}  // namespace faultwave::wave
