// SPDX-License-Identifier: Apache-2.0
// Operators that work value by value.
#include <torch/types.h>

#include <cstring>
#include <utility>

#include "src/wave/rule.h"
#include "src/wave/rules/keep_golden.h"

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
  Shadow all;
  all.axis = a.axis;
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

Shadow with_axis_of(const Shadow& shadow, const Shadow* other, const at::Tensor& golden) {
  if (other == nullptr || shadow.axis == other->axis || other->is_points()) return shadow;
  return to_rows(shadow, golden, other->axis);
}

}  // namespace

// Operators of one tensor, all else numbers.
std::optional<std::vector<Shadow>> element_rule(const Call& call) {
  if (!call.is_only_shadowed(0)) return std::nullopt;
  const Shadow& in = *call.shadow_of(0);
  std::vector<c10::IValue> stack = call.arguments;
  stack[0] = in.values.clone();
  call.op.callBoxed(&stack);
  Shadow out = in;
  out.values = stack[0].toTensor();
  keep_golden(in, call.tensor(0), out.values, call.result());
  drop_golden(out, call.result());
  return std::vector<Shadow>{std::move(out)};
}

// Operators of two tensors; one that is smaller is broadcast, but then only without a shadow.
std::optional<std::vector<Shadow>> binary_rule(const Call& call) {
  const at::Tensor result = call.result();
  if (!call.arguments[1].isTensor()) {
    return call.arguments[0].isTensor() ? element_rule(call) : std::nullopt;
  }
  std::vector<at::Tensor> golden;
  for (int i = 0; i < 2; ++i) {
    const at::Tensor operand = call.tensor(i);
    if (operand.scalar_type() != at::kFloat) return std::nullopt;
    if (call.shadow_of(i) != nullptr && operand.sizes() != result.sizes()) return std::nullopt;
    golden.push_back(operand.expand(result.sizes()));
  }
  const Shadow* first = call.shadow_of(0);
  const Shadow* second = call.shadow_of(1);
  const Shadow a = first == nullptr ? Shadow{} : with_axis_of(*first, second, golden[0]);
  const Shadow b = second == nullptr ? Shadow{} : with_axis_of(*second, first, golden[1]);
  if (first != nullptr && second != nullptr && a.axis != b.axis) return std::nullopt;

  Shadow out = first == nullptr ? b : second == nullptr ? a : all_places(a, b);
  std::vector<c10::IValue> stack = call.arguments;
  stack[0] = values_at(out, first == nullptr ? nullptr : &a, golden[0]);
  stack[1] = values_at(out, second == nullptr ? nullptr : &b, golden[1]);
  call.op.callBoxed(&stack);
  out.values = stack[0].toTensor();
  drop_golden(out, result);
  return std::vector<Shadow>{std::move(out)};
}

// Operators that hand on what they got.
std::optional<std::vector<Shadow>> same_values_rule(const Call& call) {
  const bool is_same = call.is_only_shadowed(0) && call.result().sizes() == call.tensor(0).sizes() &&
                       at::equal(call.result(), call.tensor(0));
  if (!is_same) return std::nullopt;
  return std::vector<Shadow>{*call.shadow_of(0)};
}

// Operators that change the shape and leave the row-major order of the values.
std::optional<std::vector<Shadow>> reshape_rule(const Call& call) {
  if (!call.is_only_shadowed(0)) return std::nullopt;
  const Shadow& in = *call.shadow_of(0);
  if (in.is_points()) return std::vector<Shadow>{in};
  const RowSpace before(call.tensor(0).sizes(), in.axis);
  const at::Tensor result = call.result();
  for (int64_t axis = 0; axis < result.dim(); ++axis) {
    const RowSpace after(result.sizes(), axis);
    if (after.channels != before.channels || after.inner != before.inner) continue;
    Shadow out = in;
    out.axis = axis;
    return std::vector<Shadow>{std::move(out)};
  }
  return std::vector<Shadow>{to_points(in, call.tensor(0))};
}

}  // namespace faultwave::wave
