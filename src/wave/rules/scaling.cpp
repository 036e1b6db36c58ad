// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <optional>
#include <string_view>

#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

/// A number, or a golden tensor without dimensions.
std::optional<float> number_in(const Call& call, std::string_view name) {
  const c10::IValue& value = call.argument(name);
  if (value.isScalar()) return value.toScalar().to<float>();
  if (!value.isTensor() || !value.toTensor().defined() || value.toTensor().dim() != 0) return std::nullopt;
  if (call.shadow_of(name) != nullptr || !value.toTensor().is_cpu()) return std::nullopt;
  return value.toTensor().item().to<float>();
}

}  // namespace

// mul(self, other) and div(self, other) by a number: changes are multiplied as values are. All else goes the
// way of operators that work place by place.
std::optional<std::vector<Shadow>> scaling_rule(const Call& call) {
  const Shadow* in = call.shadow_of("self");
  const std::optional<float> number = number_in(call, "other");
  const bool fits = call.is_only_shadowed("self") && number && in->form.is_change &&
                    call.argument("rounding_mode").isNone();
  if (!fits) return elements_rule(call);
  const bool divides = call.described().divides;
  const Shadow rows = settled(*in);
  return std::vector<Shadow>{
      with_values(rows, divides ? rows.values / *number : rows.values * *number, rows.form)};
}

}  // namespace faultwave::wave
