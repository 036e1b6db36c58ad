// SPDX-License-Identifier: Apache-2.0
// Operators that treat each element of axis 0 on its own: a map of a batch, a head or a window of attention.
// The elements in which trials differ are written out and put behind one another along that axis, and the
// operator runs once for all of them.
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/operators/operator.h"
#include "src/wave/rules/row_pass.h"

namespace faultwave::wave {
namespace {

// For the arguments of a stack; large enough that a call is worth its overhead.
constexpr int64_t kStackBytes = int64_t{64} << 20;

/// Where the tensors with axis 0 stand among the arguments.
std::vector<int> activations_of(const Call& call, const Stacking& stacking) {
  if (stacking.activations.empty()) return {0};
  std::vector<int> positions;
  for (const std::string& name : stacking.activations)
    positions.push_back(call.position_of(name));
  return positions;
}

/// All activations and the result have axis 0, of one size, and trials differ in activations alone.
bool has_common_axis(const Call& call, const std::vector<int>& activations) {
  const auto is_whole = [&](int position) {
    return position >= 0 && call.arguments[static_cast<size_t>(position)].isTensor();
  };
  if (!std::all_of(activations.begin(), activations.end(), is_whole)) return false;
  const at::Tensor first = call.tensor(activations.front());
  const auto fits = [&](const at::Tensor& tensor) {
    return tensor.defined() && tensor.dim() >= 2 && tensor.size(0) == first.size(0);
  };
  const bool has_one_result = call.results.size() == 1 && call.results[0].isTensor();
  if (!has_one_result || !fits(call.result())) return false;
  return std::all_of(activations.begin(), activations.end(),
                     [&](int position) { return fits(call.tensor(position)); }) &&
         std::all_of(call.shadowed.begin(), call.shadowed.end(), [&](const ShadowedArgument& argument) {
           return argument.place.element < 0 && std::find(activations.begin(), activations.end(),
                                                          argument.place.position) != activations.end();
         });
}

/// One element of axis 0 in one trial.
struct Unit {
  int32_t trial = 0;
  int64_t element = 0;
  friend auto operator<=>(const Unit&, const Unit&) = default;
};

/// How many entries of a shadow an element of axis 0 has room for.
int64_t places_of_element(const Shadow& shadow, const at::Tensor& golden) {
  return golden.numel() / golden.size(0) / shadow.width();
}

/// An activation, with entries that belong to one element of axis 0 each.
struct Activation {
  at::Tensor golden;
  std::optional<Shadow> shadow;

  static Activation of(const Call& call, int position) {
    Activation activation{call.tensor(position).contiguous(), std::nullopt};
    const Shadow* shadow = call.shadow_of(position);
    if (shadow == nullptr) return activation;
    activation.shadow = shadow->form.axis == 0 ? to_points(*shadow, activation.golden) : *shadow;
    return activation;
  }

  void add_units(std::set<Unit>& units) const {
    if (!shadow) return;
    const int64_t places = places_of_element(*shadow, golden);
    for (size_t i = 0; i < shadow->trials.size(); ++i)
      units.insert(units.end(), {shadow->trials[i], shadow->places[i] / places});
  }

  /// These elements, as the trials have them, one behind the other.
  at::Tensor stack(const std::vector<Unit>& units) const {
    std::vector<int64_t> elements;
    for (const Unit& unit : units)
      elements.push_back(unit.element);
    at::Tensor stacked = golden.index_select(0, at::tensor(elements, at::kLong));
    if (!shadow) return stacked;
    parallel_for(0, static_cast<int64_t>(units.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        write(units[static_cast<size_t>(i)], i, stacked);
    });
    return stacked;
  }

 private:
  void write(const Unit& unit, int64_t number, const at::Tensor& stacked) const {
    const int64_t places = places_of_element(*shadow, golden);
    const Segment all = segment_of(*shadow, unit.trial);
    const auto first = shadow->places.begin() + all.begin;
    const auto last = shadow->places.begin() + all.end;
    const auto begin = std::lower_bound(first, last, unit.element * places);
    const auto end = std::lower_bound(begin, last, (unit.element + 1) * places);
    const RowSpace space(golden.sizes(), shadow->form.axis);
    const int64_t width = shadow->width();
    const float* from = shadow->values.const_data_ptr<float>();
    const float* scale = shadow->form.scale.defined() ? shadow->form.scale.const_data_ptr<float>() : nullptr;
    const int64_t size = golden.numel() / golden.size(0);
    float* to = stacked.mutable_data_ptr<float>() + number * size;
    for (auto place = begin; place != end; ++place) {
      const float* entry = from + (place - shadow->places.begin()) * width;
      for (int64_t channel = 0; channel < width; ++channel) {
        const int64_t offset = shadow->is_points() ? *place : space.offset(*place, channel);
        const float own = scale == nullptr ? entry[channel] : entry[channel] * scale[channel];
        float& at = to[offset - unit.element * size];
        at = shadow->form.is_change ? at + own : own;
      }
    }
  }
};

/// All rows of these elements of the result: values, or changes where that is what was read. Changes made of
/// values would be as exact as golden values are, which is not enough where faulty ones are much smaller.
Shadow rows_of_stack(const at::Tensor& stacked, const std::vector<Unit>& units, const at::Tensor& golden,
                     int64_t axis, bool as_change) {
  Shadow shadow(Form::values_of(golden, axis));
  const int64_t rows = golden.numel() / golden.size(0) / golden.size(axis);
  for (const Unit& unit : units) {
    shadow.trials.insert(shadow.trials.end(), static_cast<size_t>(rows), unit.trial);
    for (int64_t row = 0; row < rows; ++row)
      shadow.places.push_back(static_cast<int32_t>(unit.element * rows + row));
  }
  shadow.values = rows_of(stacked, axis);
  if (as_change) return less_golden(std::move(shadow), golden);
  drop_golden(shadow, golden);
  return shadow;
}

}  // namespace

std::optional<std::vector<Shadow>> apply_stacked_rule(const Call& call) {
  const std::optional<Stacking>& stacking = call.described().stacking;
  if (!stacking) return std::nullopt;
  const std::vector<int> positions = activations_of(call, *stacking);
  if (!has_common_axis(call, positions)) return std::nullopt;
  if (stacking->fits != nullptr && !stacking->fits(call)) return std::nullopt;
  const at::Tensor golden = call.result();
  const int64_t axis = c10::maybe_wrap_dim(stacking->row_axis, golden.dim());
  int64_t bytes = golden.nbytes();
  std::vector<Activation> activations;
  std::set<Unit> dirty;
  for (const int position : positions) {
    activations.push_back(Activation::of(call, position));
    activations.back().add_units(dirty);
    bytes += static_cast<int64_t>(call.tensor(position).nbytes());
  }
  const std::vector<Unit> units(dirty.begin(), dirty.end());
  const int64_t unit_bytes = std::max<int64_t>(bytes / golden.size(0), 1);
  const auto most = static_cast<size_t>(std::max<int64_t>(kStackBytes / unit_bytes, 1));

  const bool as_change =
      stacking->gives == Stacking::Gives::changes && is_finite(golden) &&
      std::all_of(call.shadowed.begin(), call.shadowed.end(),
                  [](const ShadowedArgument& argument) { return argument.shadow.form.is_change; });
  Shadow whole(as_change ? Form::changes_of(golden, axis) : Form::values_of(golden, axis));
  for (size_t begin = 0; begin < units.size(); begin += most) {
    const auto first = units.begin() + static_cast<std::ptrdiff_t>(begin);
    const std::vector<Unit> some(first,
                                 first + static_cast<std::ptrdiff_t>(std::min(most, units.size() - begin)));
    std::vector<c10::IValue> stack = call.arguments;
    for (size_t i = 0; i < positions.size(); ++i)
      stack[static_cast<size_t>(positions[i])] = activations[i].stack(some);
    std::vector<int64_t> shape = golden.sizes().vec();
    shape[0] = static_cast<int64_t>(some.size());
    const at::Tensor result = call.run_as_described(std::move(stack), shape);
    whole = behind(std::move(whole), rows_of_stack(result, some, golden, axis, as_change));
  }
  return std::vector<Shadow>{std::move(whole)};
}

}  // namespace faultwave::wave
