// SPDX-License-Identifier: Apache-2.0
// Rows and points.
#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "src/wave/shadow_forms.h"
#include "src/wave/shadow_values.h"

namespace faultwave::wave {
namespace {

/// Points of rows: the values that differ. `Stored` is the type of the shadow's values.
template <typename Stored>
Shadow points_of(const Shadow& rows, const at::Tensor& golden) {
  const RowSpace space(golden.sizes(), rows.form.axis);
  const at::Tensor whole = golden.contiguous();
  const Stored* before = rows.form.is_change ? nullptr : whole.const_data_ptr<Stored>();
  const Stored* from = rows.values.const_data_ptr<Stored>();
  PointListOf<Stored> points(rows.form.along(Form::points));
  std::vector<std::pair<int32_t, Stored>> found;
  for (const Segment& segment : segments(rows)) {
    found.clear();
    for (int64_t entry = segment.begin; entry < segment.end; ++entry) {
      const int64_t row = rows.places[static_cast<size_t>(entry)];
      for (int64_t channel = 0; channel < space.channels; ++channel) {
        const int64_t offset = space.offset(row, channel);
        const Stored value = from[entry * space.channels + channel];
        const bool differs = rows.form.is_change ? value != 0 : !is_same_value(&value, before + offset, 1);
        if (differs) found.emplace_back(static_cast<int32_t>(offset), value);
      }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [offset, value] : found)
      points.add(segment.trial, offset, value);
  }
  return points.take();
}

}  // namespace

Shadow to_rows(const Shadow& shadow, const at::Tensor& golden, int64_t axis) {
  if (shadow.form.axis == axis) return shadow;
  if (!shadow.is_points()) return to_rows(to_points(shadow, golden), golden, axis);
  const RowSpace space(golden.sizes(), axis);

  Shadow rows(shadow.form.along(axis));
  Entries entry_of(static_cast<size_t>(shadow.size()));
  const std::vector<Segment> parts = segments(shadow);
  Indices touched;
  for (const Segment& part : parts) {
    touched.clear();
    for (int64_t i = part.begin; i < part.end; ++i)
      touched.push_back(static_cast<int32_t>(space.row_of(shadow.places[static_cast<size_t>(i)])));
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    const int64_t first = rows.size();
    rows.trials.insert(rows.trials.end(), touched.size(), part.trial);
    rows.places.insert(rows.places.end(), touched.begin(), touched.end());
    for (int64_t i = part.begin; i < part.end; ++i) {
      const auto row = static_cast<int32_t>(space.row_of(shadow.places[static_cast<size_t>(i)]));
      entry_of[static_cast<size_t>(i)] =
          first + (std::lower_bound(touched.begin(), touched.end(), row) - touched.begin());
    }
  }
  rows.values = shadow.form.is_change ? at::zeros({rows.size(), space.channels}, rows.form.stored_type())
                                      : golden_at(rows, golden);
  with_type(rows.form.stored_type(), [&](auto type) {
    using Stored = decltype(type);
    Stored* to = rows.values.mutable_data_ptr<Stored>();
    const Stored* values = shadow.values.const_data_ptr<Stored>();
    for (int64_t i = 0; i < shadow.size(); ++i) {
      const int64_t channel = space.channel_of(shadow.places[static_cast<size_t>(i)]);
      to[entry_of[static_cast<size_t>(i)] * space.channels + channel] = values[i];
    }
  });
  return rows;
}

Shadow to_points(const Shadow& shadow, const at::Tensor& golden) {
  if (shadow.is_points()) return shadow;
  if (shadow.form.scale.defined()) return to_points(settled(shadow), golden);
  if (shadow.empty()) return Shadow(shadow.form.along(Form::points));
  return with_type(shadow.form.stored_type(),
                   [&](auto type) { return points_of<decltype(type)>(shadow, golden); });
}

template <typename Value>
void PointListOf<Value>::add_differences(int32_t trial, const at::Tensor& golden, const at::Tensor& faulty) {
  const at::Tensor before = golden.contiguous();
  const at::Tensor after = faulty.contiguous();
  const Value* a = before.const_data_ptr<Value>();
  const Value* b = after.const_data_ptr<Value>();
  for (int64_t offset = 0; offset < before.numel(); ++offset) {
    if (!is_same_value(a + offset, b + offset, 1)) add(trial, static_cast<int32_t>(offset), b[offset]);
  }
}

template <typename Value>
Shadow PointListOf<Value>::take() {
  Shadow points = std::exchange(shadow_, Shadow(shadow_.form));
  points.values = room_for(points.form, points.size(), 1);
  std::copy(values_.begin(), values_.end(), points.values.template mutable_data_ptr<Value>());
  values_.clear();
  return points;
}

template class PointListOf<float>;
template class PointListOf<int32_t>;
template class PointListOf<int8_t>;

}  // namespace faultwave::wave
