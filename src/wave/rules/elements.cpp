// SPDX-License-Identifier: Apache-2.0
// Operators that work value by value.
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
#include <variant>

#include "src/wave/operators/operator.h"
#include "src/wave/rules/relocation.h"
#include "src/wave/rules/row_pass.h"

namespace faultwave::wave {
namespace {

/// The values at these places, golden where the shadow has no entry.
at::Tensor values_at(const Shadow& places, const Shadow* shadow, const at::Tensor& golden) {
  at::Tensor values = golden_at(places, golden);
  if (shadow == nullptr) return values;
  const int64_t width = shadow->width();
  float* to = values.mutable_data_ptr<float>();
  const float* from = shadow->values.const_data_ptr<float>();
  int64_t at = 0;
  for (int64_t entry = 0; entry < shadow->size(); ++entry) {
    const auto i = static_cast<size_t>(entry);
    while (places.trials[static_cast<size_t>(at)] != shadow->trials[i] ||
           places.places[static_cast<size_t>(at)] != shadow->places[i])
      ++at;
    std::memcpy(to + at * width, from + entry * width, static_cast<size_t>(width) * sizeof(float));
  }
  return values;
}

/// All places of both; each is ordered.
Shadow all_places(const Shadow& a, const Shadow& b) {
  Shadow all(a.form);
  if (a.form.interleave != b.form.interleave) all.form.interleave = 1;
  size_t i = 0;
  size_t j = 0;
  while (i < a.trials.size() || j < b.trials.size()) {
    const auto of_a =
        i < a.trials.size() ? std::make_pair(a.trials[i], a.places[i]) : std::make_pair(INT32_MAX, INT32_MAX);
    const auto of_b =
        j < b.trials.size() ? std::make_pair(b.trials[j], b.places[j]) : std::make_pair(INT32_MAX, INT32_MAX);
    const auto next = std::min(of_a, of_b);
    all.trials.push_back(next.first);
    all.places.push_back(next.second);
    i += of_a == next;
    j += of_b == next;
  }
  return all;
}

/// With rows along this axis, or points.
Shadow with_axis(const Shadow& shadow, const at::Tensor& golden, int64_t axis) {
  return axis == Shadow::points ? shadow : to_rows(shadow, golden, axis);
}

/// An operand of an operator that works place by place.
struct Operand {
  size_t position = 0;
  at::Tensor golden;  ///< as wide as the result; undefined for a number, which stays as it is
  std::optional<Shadow> shadow;
};

std::optional<Operand> operand_at(const Call& call, size_t position) {
  const at::Tensor tensor = call.arguments[position].toTensor();
  const at::Tensor result = call.result();
  const Shadow* shadow = call.shadow_of(static_cast<int>(position));
  // A tensor of no dimensions is a number in disguise; one of FP64 must not become a column of FP64.
  if (tensor.dim() == 0 && result.dim() > 0 && shadow == nullptr) return Operand{position, {}, std::nullopt};
  const bool is_other_float = tensor.is_floating_point() && tensor.scalar_type() != at::kFloat;
  if (is_other_float || !tensor.is_cpu() || tensor.dim() > result.dim()) return std::nullopt;
  Operand operand{position, tensor.expand(result.sizes()), std::nullopt};
  if (shadow == nullptr) return operand;
  const bool is_broadcast = tensor.sizes() != result.sizes();
  operand.shadow =
      is_broadcast ? relocated(*shadow, tensor, offsets_of(tensor).expand(result.sizes())) : *shadow;
  return operand;
}

std::optional<std::vector<Operand>> operands_of(const Call& call) {
  const auto& schema = call.op.schema().arguments();
  std::vector<Operand> operands;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    if (schema[i].is_out() || !call.arguments[i].isTensor() || !call.arguments[i].toTensor().defined())
      continue;
    std::optional<Operand> operand = operand_at(call, i);
    if (!operand) return std::nullopt;
    operands.push_back(std::move(*operand));
  }
  return operands;
}

/// The axis that rows run along in the first operand that has rows.
int64_t common_axis(const std::vector<Operand>& operands) {
  for (const Operand& operand : operands) {
    if (operand.shadow && !operand.shadow->is_points()) return operand.shadow->form.axis;
  }
  return Shadow::points;
}

float number_in(const Call& call, const NumberOrArgument& number) {
  if (const auto* fixed = std::get_if<double>(&number)) return static_cast<float>(*fixed);
  return call.argument(std::get<std::string>(number)).toScalar().to<float>();
}

std::vector<Shadow> of_one_operand(const Call& call) {
  const Shadow& in = *call.shadow_of(0);
  const at::Tensor golden = call.tensor(0);
  const std::optional<Clamp>& clamp = call.described().clamp;
  if (in.form.is_change && clamp) {
    const float least = least_change(call.result());
    if (std::isfinite(least) && is_finite(golden))
      return {pass_clamp(in, golden, number_in(call, clamp->low), number_in(call, clamp->high), least)};
  }
  return {pass_rows(in, golden, call.result(), [&](const at::Tensor& values) {
    std::vector<c10::IValue> stack = call.arguments;
    stack[0] = values;
    return call.run_as_described(std::move(stack), values.sizes());
  })};
}

bool has_one_tensor(const Call& call) {
  const auto& schema = call.op.schema().arguments();
  int tensors = 0;
  for (size_t i = 0; i < call.arguments.size(); ++i)
    tensors += !schema[i].is_out() && call.arguments[i].isTensor() && call.arguments[i].toTensor().defined();
  return tensors == 1 && call.arguments[0].isTensor() && call.tensor(0).sizes() == call.result().sizes();
}

/// Of shadows of values.
std::optional<std::vector<Shadow>> of_several_operands(const Call& call) {
  std::optional<std::vector<Operand>> operands = operands_of(call);
  if (!operands) return std::nullopt;
  const int64_t axis = common_axis(*operands);
  Shadow out(Form::values_of(call.result(), axis));
  for (Operand& operand : *operands) {
    if (!operand.shadow) continue;
    operand.shadow = with_axis(*operand.shadow, operand.golden, axis);
    out = out.empty() ? *operand.shadow : all_places(out, *operand.shadow);
  }
  std::vector<c10::IValue> stack = call.arguments;
  for (const Operand& operand : *operands) {
    if (!operand.golden.defined()) continue;
    stack[operand.position] = values_at(out, operand.shadow ? &*operand.shadow : nullptr, operand.golden);
  }
  std::vector<int64_t> shape{out.size()};
  if (!out.is_points()) shape.push_back(call.result().size(axis));
  out.values = call.run_as_described(std::move(stack), shape);
  drop_golden(out, call.result());
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace

// Operators of one tensor or of several that are broadcast to the result, all else numbers.
std::optional<std::vector<Shadow>> elements_rule(const Call& call) {
  if (call.results.size() != 1) return std::nullopt;
  if (has_one_tensor(call) && call.is_only_shadowed(0)) return of_one_operand(call);
  return of_several_operands(given(call, Takes::values));
}

// Operators that hand on what they got.
std::optional<std::vector<Shadow>> same_values_rule(const Call& call) {
  const bool is_same = call.is_only_shadowed(0) && call.result().sizes() == call.tensor(0).sizes() &&
                       at::equal(call.result(), call.tensor(0));
  if (!is_same) return std::nullopt;
  return std::vector<Shadow>{*call.shadow_of(0)};
}

}  // namespace faultwave::wave
