// SPDX-License-Identifier: Apache-2.0
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/for_parts.h"
#include "src/wave/operators/operator.h"
#include "src/wave/rules/relocation.h"

namespace faultwave::wave {
namespace {

/// Offsets in a tensor that holds `part`, `channels` wide along the axis, from channel `start` on.
int32_t shifted(const RowSpace& part, int64_t offset, int64_t channels, int64_t start) {
  const int64_t row = part.row_of(offset);
  const int64_t channel = part.channel_of(offset) + start;
  return static_cast<int32_t>((row / part.inner * channels + channel) * part.inner + row % part.inner);
}

using Key = std::pair<int32_t, int32_t>;  // trial, place

/// One part of a concatenation along the axis of rows.
struct Part {
  Shadow shadow;
  at::Tensor golden;
  int64_t start = 0;  ///< where it begins along the axis
};

/// Entries by trial, then place.
Shadow ordered(const Shadow& shadow) {
  Entries order(shadow.trials.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto key = [&](int64_t entry) {
    const auto at = static_cast<size_t>(entry);
    return Key{shadow.trials[at], shadow.places[at]};
  };
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) < key(b); });
  Shadow sorted(shadow.form);
  for (const int64_t entry : order) {
    sorted.trials.push_back(key(entry).first);
    sorted.places.push_back(key(entry).second);
  }
  sorted.values = shadow.values.index_select(0, at::tensor(order, at::kLong));
  return sorted;
}

/// The parts' entries in the whole, if all have points.
Shadow whole_points(const std::vector<Part>& parts, const RowSpace& whole, int64_t axis) {
  Shadow points(parts.front().shadow.form);
  std::vector<at::Tensor> values;
  for (const Part& part : parts) {
    const RowSpace space(part.golden.sizes(), axis);
    points.trials.insert(points.trials.end(), part.shadow.trials.begin(), part.shadow.trials.end());
    for (const int32_t place : part.shadow.places)
      points.places.push_back(shifted(space, place, whole.channels, part.start));
    values.push_back(part.shadow.values);
  }
  points.values = at::cat(values);
  return ordered(points);
}

/// The entries of one trial in each part; empty where it has none.
struct TrialOfParts {
  int32_t trial = 0;
  std::vector<Segment> of_part;
};

std::vector<TrialOfParts> trials_of(const std::vector<Part>& parts) {
  std::map<int32_t, TrialOfParts> by_trial;
  for (size_t part = 0; part < parts.size(); ++part) {
    for (const Segment& segment : segments(parts[part].shadow)) {
      TrialOfParts& trial = by_trial[segment.trial];
      trial.trial = segment.trial;
      trial.of_part.resize(parts.size());
      trial.of_part[part] = segment;
    }
  }
  std::vector<TrialOfParts> trials;
  for (auto& [number, trial] : by_trial)
    trials.push_back(std::move(trial));
  return trials;
}

/// All places that a trial has in any part, ascending.
Indices places_of(const TrialOfParts& trial, const std::vector<Part>& parts) {
  Indices all;
  Indices both;
  for (size_t part = 0; part < parts.size(); ++part) {
    const Indices& places = parts[part].shadow.places;
    const Segment& own = trial.of_part[part];
    both.clear();
    std::set_union(all.begin(), all.end(), places.begin() + own.begin, places.begin() + own.end,
                   std::back_inserter(both));
    std::swap(all, both);
  }
  return all;
}

/// Copies the rows of one trial in one part to where `to`, rows of the whole at ascending `places`, has them.
void copy_rows(const Part& part, const Segment& segment, const int32_t* places, float* to, int64_t width) {
  const int64_t own = part.shadow.width();
  const float* from = part.shadow.values.const_data_ptr<float>();
  int64_t row = 0;
  for (int64_t entry = segment.begin; entry < segment.end; ++entry) {
    while (places[row] != part.shadow.places[static_cast<size_t>(entry)])
      ++row;
    std::copy_n(from + entry * own, own, to + row * width + part.start);
  }
}

/// Rows of the whole: what the parts have, golden elsewhere.
Shadow whole_rows(const std::vector<Part>& parts, const at::Tensor& golden, int64_t axis) {
  const std::vector<TrialOfParts> trials = trials_of(parts);
  std::vector<Indices> places(trials.size());
  parallel_for(0, static_cast<int64_t>(trials.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto trial = static_cast<size_t>(begin); trial < static_cast<size_t>(end); ++trial)
      places[trial] = places_of(trials[trial], parts);
  });
  Shadow whole(parts.front().shadow.form.along(axis));
  whole.form.interleave = 1;  // rows of several parts
  std::vector<Segment> rows;  // of each trial
  for (size_t trial = 0; trial < trials.size(); ++trial) {
    const int64_t begin = whole.size();
    rows.push_back({trials[trial].trial, begin, begin + static_cast<int64_t>(places[trial].size())});
    whole.trials.insert(whole.trials.end(), places[trial].size(), trials[trial].trial);
    whole.places.insert(whole.places.end(), places[trial].begin(), places[trial].end());
  }
  const int64_t width = golden.size(axis);
  whole.values =
      whole.form.is_change ? at::empty({whole.size(), width}, at::kFloat) : golden_at(whole, golden);
  float* to = whole.values.mutable_data_ptr<float>();
  for_parts(rows, [&](size_t begin, size_t end) {
    for (size_t trial = begin; trial < end; ++trial) {
      float* own = to + rows[trial].begin * width;
      if (whole.form.is_change) std::fill_n(own, rows[trial].size() * width, 0.0f);
      for (size_t part = 0; part < parts.size(); ++part)
        copy_rows(parts[part], trials[trial].of_part[part], places[trial].data(), own, width);
    }
  });
  return whole;
}

/// For cat(tensors, dim) of points and of rows along `dim`: points stay points; rows become longer rows.
std::optional<std::vector<Shadow>> concatenation_along_rows(const Call& call) {
  if (call.described().makes_new_axis) return std::nullopt;
  const at::Tensor result = call.result();
  const int64_t axis = c10::maybe_wrap_dim(call.argument("dim").toInt(), result.dim());
  std::vector<int64_t> starts{0};
  for (const at::Tensor& part : call.argument("tensors").toTensorVector()) {
    if (part.dim() != result.dim() || part.scalar_type() != at::kFloat) return std::nullopt;
    starts.push_back(starts.back() + part.size(axis));
  }
  std::vector<Part> parts;
  for (const ShadowedArgument& argument : call.shadowed) {
    if (!argument.shadow.is_points() && argument.shadow.form.axis != axis) return std::nullopt;
    parts.push_back({argument.shadow, detail::tensor_at(call.arguments, argument.place),
                     starts[static_cast<size_t>(argument.place.element)]});
  }
  const bool all_points =
      std::all_of(parts.begin(), parts.end(), [](const Part& part) { return part.shadow.is_points(); });
  if (all_points) return std::vector<Shadow>{whole_points(parts, RowSpace(result.sizes(), axis), axis)};
  for (Part& part : parts)
    part.shadow = to_rows(part.shadow, part.golden, axis);
  return std::vector<Shadow>{whole_rows(parts, result, axis)};
}

/// Each part's entries where the operator itself puts them.
std::optional<std::vector<Shadow>> concatenation_of_copies(const Call& call) {
  const std::vector<at::Tensor> parts = call.argument("tensors").toTensorVector();
  const at::Tensor result = call.result();
  if (call.op.schema().arguments().back().is_out()) return std::nullopt;  // which would hold FP32 offsets
  std::vector<at::Tensor> nowhere;
  for (const at::Tensor& part : parts)
    nowhere.push_back(at::full(part.sizes(), kFromNowhere, at::kDouble));

  Shadow out(Form::values_of(result));
  for (const ShadowedArgument& argument : call.shadowed) {
    const auto element = static_cast<size_t>(argument.place.element);
    std::vector<at::Tensor> offsets = nowhere;
    offsets[element] = offsets_of(parts[element]);
    std::vector<c10::IValue> stack = call.arguments;
    stack[0] = offsets;
    const Shadow copied = relocated(argument.shadow, parts[element], call.run(std::move(stack)));
    if (out.empty()) {
      out = copied;
    } else if (!copied.empty()) {
      const int64_t axis = out.is_points() ? copied.form.axis : out.form.axis;
      const auto fit = [&](const Shadow& shadow) {
        return axis == Shadow::points ? shadow : to_rows(shadow, result, axis);
      };
      out = overlay(fit(out), fit(copied), result);
    }
  }
  return std::vector<Shadow>{std::move(out)};
}

/// All changes, if a part has changes.
Call in_one_form(const Call& call) {
  const bool has_changes =
      std::any_of(call.shadowed.begin(), call.shadowed.end(),
                  [](const ShadowedArgument& argument) { return argument.shadow.form.is_change; });
  if (!has_changes) return call;
  Call alike = call;
  for (ShadowedArgument& argument : alike.shadowed)
    argument.shadow =
        as_changes(std::move(argument.shadow), detail::tensor_at(call.arguments, argument.place));
  return alike;
}

}  // namespace

// cat(tensors, dim), stack(tensors, dim)
std::optional<std::vector<Shadow>> concatenation_rule(const Call& call) {
  const Call alike = in_one_form(call);
  std::optional<std::vector<Shadow>> along_rows = concatenation_along_rows(alike);
  return along_rows ? std::move(along_rows) : concatenation_of_copies(alike);
}

}  // namespace faultwave::wave
