// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/kernels/kernels.h"
#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

/// Where each of two shadows has an entry for an entry of the sum; -1 for none.
struct Sources {
  int64_t a = -1;
  int64_t b = -1;
};

std::vector<Sources> line_up(const Shadow& a, const Shadow& b, Shadow& all) {
  std::vector<Sources> sources;
  const auto key = [](const Shadow& shadow, int64_t entry) {
    const auto at = static_cast<size_t>(entry);
    return entry < shadow.size() ? std::make_pair(shadow.trials[at], shadow.places[at])
                                 : std::make_pair(INT32_MAX, INT32_MAX);
  };
  for (int64_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const auto of_a = key(a, i);
    const auto of_b = key(b, j);
    const auto next = std::min(of_a, of_b);
    all.trials.push_back(next.first);
    all.places.push_back(next.second);
    sources.push_back({of_a == next ? i++ : -1, of_b == next ? j++ : -1});
  }
  return sources;
}

/// A row of a shadow of changes, for the kernels; null for no entry.
Kernels::Summand row_of(const Shadow& shadow, int64_t entry) {
  if (entry < 0) return {};
  return {shadow.values.const_data_ptr<float>() + entry * shadow.width(),
          shadow.form.scale.defined() ? shadow.form.scale.const_data_ptr<float>() : nullptr};
}

Shadow sum_of(const Shadow& a, const Shadow& b, float factor) {
  Shadow all(a.form.without_scale());
  if (a.form.interleave != b.form.interleave) all.form.interleave = 1;
  const std::vector<Sources> sources = line_up(a, b, all);
  const int64_t width = a.width();
  all.values =
      a.is_points() ? at::empty({all.size()}, at::kFloat) : at::empty({all.size(), width}, at::kFloat);
  float* to = all.values.mutable_data_ptr<float>();
  parallel_for(0, all.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const Sources& from = sources[static_cast<size_t>(entry)];
      kernels().sum(to + entry * width, row_of(a, from.a), row_of(b, from.b), factor, width);
    }
  });
  return all;
}

Shadow scaled_by(Shadow shadow, float factor) {
  shadow = settled(std::move(shadow));
  if (factor != 1) shadow.values = shadow.values * factor;
  return shadow;
}

/// A tensor of the result's shape, or one that stays golden and is broadcast to it.
bool is_whole_or_golden(const Call& call, std::string_view name) {
  const c10::IValue& value = call.argument(name);
  if (call.shadow_of(name) == nullptr) return value.isTensor() || value.isScalar();
  return value.toTensor().sizes() == call.result().sizes();
}

}  // namespace

// add(self, other, alpha), sub(self, other, alpha) of changes: they add up, whatever the golden values are.
// Values alone go the way of all operators that work place by place.
std::optional<std::vector<Shadow>> sum_rule(const Call& call) {
  const bool is_sum = call.argument("alpha").isScalar() && call.results.size() == 1 &&
                      is_whole_or_golden(call, "self") && is_whole_or_golden(call, "other");
  const bool has_changes =
      is_sum && std::any_of(call.shadowed.begin(), call.shadowed.end(),
                            [](const ShadowedArgument& argument) { return argument.shadow.form.is_change; });
  if (!has_changes) return elements_rule(given(call, Takes::values));
  const auto alpha = call.argument("alpha").toScalar().to<float>();
  const float factor = call.described().subtracts ? -alpha : alpha;
  const Shadow* a = call.shadow_of("self");
  const Shadow* b = call.shadow_of("other");
  if (a == nullptr) return std::vector<Shadow>{scaled_by(*b, factor)};
  if (b == nullptr) return std::vector<Shadow>{scaled_by(*a, 1)};
  const int64_t axis = a->is_points() ? b->form.axis : a->form.axis;
  const auto along = [&](const Shadow& shadow, std::string_view name) {
    const Shadow changes = as_changes(shadow, call.tensor(name));
    return changes.form.axis == axis ? changes : to_rows(settled(changes), call.tensor(name), axis);
  };
  return std::vector<Shadow>{sum_of(along(*a, "self"), along(*b, "other"), factor)};
}

}  // namespace faultwave::wave
