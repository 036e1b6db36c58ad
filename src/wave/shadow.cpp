// SPDX-License-Identifier: Apache-2.0
#include "src/wave/shadow.h"

#include <torch/types.h>

#include <algorithm>

#include "src/wave/golden_memo.h"
#include "src/wave/shadow_values.h"

namespace faultwave::wave {
namespace {

/// One past the last entry of the trial that entry `begin` is of: in steps that double, then between the last
/// two, since trials have many entries or few.
int64_t end_of_trial(const Indices& trials, int64_t begin) {
  const auto size = static_cast<int64_t>(trials.size());
  const int32_t trial = trials[static_cast<size_t>(begin)];
  int64_t step = 1;
  while (begin + step < size && trials[static_cast<size_t>(begin + step)] == trial)
    step *= 2;
  const auto from = trials.begin() + begin + step / 2;
  return std::upper_bound(from, trials.begin() + std::min(begin + step, size), trial) - trials.begin();
}

/// visit(offset in the whole tensor, number among the shadow's values, channel) for each value of a segment.
template <typename Visit>
void for_each_value(const Shadow& shadow, const Segment& segment, const RowSpace& space, Visit&& visit) {
  const int64_t width = shadow.width();
  for (int64_t entry = segment.begin; entry < segment.end; ++entry) {
    const int64_t place = shadow.places[static_cast<size_t>(entry)];
    for (int64_t channel = 0; channel < width; ++channel)
      visit(shadow.is_points() ? place : space.offset(place, channel), entry * width + channel, channel);
  }
}

}  // namespace

RowSpace::RowSpace(c10::IntArrayRef shape, int64_t axis) {
  for (int64_t d = 0; d < static_cast<int64_t>(shape.size()); ++d) {
    if (d == axis) {
      channels = shape[static_cast<size_t>(d)];
    } else {
      rows *= shape[static_cast<size_t>(d)];
      if (d > axis) inner *= shape[static_cast<size_t>(d)];
    }
  }
}

bool is_value_type(at::ScalarType type) {
  return type == at::kFloat || type == at::kInt || type == at::kChar;
}

bool can_have_shadow(const at::Tensor& tensor) {
  return tensor.is_cpu() && is_value_type(tensor.scalar_type()) && tensor.layout() == at::kStrided &&
         !tensor.is_nested();
}

Form Form::along(int64_t other) const {
  if (scale.defined() && other != axis) throw InternalError("a factor belongs to rows along another axis");
  return other == axis ? *this : Form{.type = type, .axis = other, .is_change = is_change};
}

Form Form::at_axis(int64_t other) const {
  Form form = *this;
  form.axis = other;
  return form;
}

Form Form::without_scale() const {
  Form form = *this;
  form.scale = at::Tensor();
  return form;
}

Form Form::as_values() const {
  Form form = without_scale();
  form.is_change = false;
  return form;
}

Form Form::as_changes() const {
  Form form = *this;
  form.is_change = true;
  return form;
}

at::Tensor room_for(const Form& form, int64_t entries, int64_t width) {
  return form.is_points() ? at::empty({entries}, form.stored_type())
                          : at::empty({entries, width}, form.stored_type());
}

std::vector<Segment> segments(const Indices& trials) {
  std::vector<Segment> found;
  for (int64_t begin = 0; begin < static_cast<int64_t>(trials.size());) {
    const int32_t trial = trials[static_cast<size_t>(begin)];
    const int64_t end = end_of_trial(trials, begin);
    found.push_back({trial, begin, end});
    begin = end;
  }
  return found;
}

std::vector<Segment> segments(const Shadow& shadow) {
  return segments(shadow.trials);
}

int64_t count_trials(const Shadow& shadow) {
  int64_t count = 0;
  for (size_t i = 0; i < shadow.trials.size(); ++i)
    count += i == 0 || shadow.trials[i] != shadow.trials[i - 1];
  return count;
}

Segment segment_of(const Shadow& shadow, int32_t trial) {
  const auto [first, last] = std::equal_range(shadow.trials.begin(), shadow.trials.end(), trial);
  return {trial, first - shadow.trials.begin(), last - shadow.trials.begin()};
}

at::Tensor rows_of(const at::Tensor& golden, int64_t axis) {
  if (axis == Shadow::points || golden.dim() == 0) return golden.contiguous().view({-1, 1});
  const at::Tensor last = golden.movedim(axis, -1);
  if (last.is_contiguous()) return last.view({-1, golden.size(axis)});
  return *GoldenMemo::remember<at::Tensor>(golden, axis,
                                           [&] { return last.contiguous().view({-1, golden.size(axis)}); });
}

at::Tensor golden_at(const Shadow& shadow, const at::Tensor& golden) {
  const at::Tensor places = at::tensor(at::ArrayRef<int32_t>(shadow.places), at::kInt);
  const at::Tensor rows = rows_of(golden, shadow.form.axis).index_select(0, places);
  return shadow.is_points() ? rows.view({-1}) : rows;
}

at::Tensor materialise(const Shadow& shadow, const Segment& segment, const at::Tensor& golden) {
  at::Tensor whole = golden.clone(at::MemoryFormat::Contiguous);
  const Form& form = shadow.form;
  const RowSpace space(golden.sizes(), form.axis);
  with_type(form.type, [&](auto type) {
    using Value = decltype(type);
    Value* to = whole.mutable_data_ptr<Value>();
    if (!form.is_change) {
      const Value* values = shadow.values.const_data_ptr<Value>();
      for_each_value(shadow, segment, space,
                     [&](int64_t offset, int64_t number, int64_t) { to[offset] = values[number]; });
      return;
    }
    const ChangeOf<Value>* changes = shadow.values.const_data_ptr<ChangeOf<Value>>();
    const float* scale = form.scale.defined() ? form.scale.const_data_ptr<float>() : nullptr;
    for_each_value(shadow, segment, space, [&](int64_t offset, int64_t number, int64_t channel) {
      to[offset] = changed(to[offset], scaled(changes[number], scale, channel));
    });
  });
  return whole;
}

}  // namespace faultwave::wave
