// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <optional>

#include "src/wave/rule.h"

namespace faultwave::wave {
namespace {

/// A number, or a golden tensor without dimensions.
std::optional<float> number_in(const Call& call, size_t position) {
  const c10::IValue& value = call.arguments[position];
  if (value.isScalar()) return value.toScalar().to<float>();
  if (!value.isTensor() || !value.toTensor().defined() || value.toTensor().dim() != 0) return std::nullopt;
  if (call.shadow_of(static_cast<int>(position)) != nullptr || !value.toTensor().is_cpu())
    return std::nullopt;
  return value.toTensor().item().to<float>();
}

}  // namespace

// mul(self, other) and div(self, other) by a number: changes are multiplied as values are. All else goes the
// way of operators that work place by place.
std::optional<std::vector<Shadow>> scaling_rule(const Call& call) {
  const Shadow* in = call.shadow_of(0);
  const std::optional<float> number = number_in(call, 1);
  const bool fits = call.is_only_shadowed(0) && number && in->is_change && call.arguments.size() == 2;
  if (!fits) return elements_rule(call);
  const bool divides = call.op.operator_name().name.find("div") != std::string::npos;
  const Shadow rows = settled(*in);
  return std::vector<Shadow>{
      with_values(rows, divides ? rows.values / *number : rows.values * *number, true)};
}

}  // namespace faultwave::wave
