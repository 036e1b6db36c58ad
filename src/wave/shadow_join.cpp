// SPDX-License-Identifier: Apache-2.0
// Shadows that are put together.
#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "src/wave/shadow_entries.h"
#include "src/wave/shadow_forms.h"
#include "src/wave/shadow_values.h"

namespace faultwave::wave {
namespace {

/// `Stored` is the type of both shadows' values.
template <typename Stored>
Shadow overlaid(const Shadow& a, const Shadow& b, const at::Tensor& golden) {
  const int64_t width = a.width();
  const at::Tensor rows = a.form.is_change ? at::Tensor() : rows_of(golden, a.form.axis);
  const Stored* before = a.form.is_change ? nullptr : rows.const_data_ptr<Stored>();
  const Stored* of_a = a.values.const_data_ptr<Stored>();
  const Stored* of_b = b.values.const_data_ptr<Stored>();
  Shadow both(a.form);
  if (a.form.interleave != b.form.interleave) both.form.interleave = 1;
  both.values = room_for(a.form, a.size() + b.size(), width);
  Stored* to = both.values.mutable_data_ptr<Stored>();
  int64_t i = 0;
  int64_t j = 0;
  const auto key = [](const Shadow& shadow, int64_t entry) {
    const auto at = static_cast<size_t>(entry);
    return entry < shadow.size() ? std::make_pair(shadow.trials[at], shadow.places[at])
                                 : std::make_pair(INT32_MAX, INT32_MAX);
  };
  while (i < a.size() || j < b.size()) {
    const auto next = std::min(key(a, i), key(b, j));
    const bool in_a = key(a, i) == next;
    const bool in_b = key(b, j) == next;
    Stored* out = to + both.size() * width;
    std::copy_n(in_a ? of_a + i * width : of_b + j * width, width, out);
    for (int64_t c = 0; in_a && in_b && c < width; ++c) {
      const Stored value = of_b[j * width + c];
      const bool differs =
          a.form.is_change ? value != 0 : !is_same_value(&value, before + next.second * width + c, 1);
      if (differs) out[c] = value;
    }
    both.trials.push_back(next.first);
    both.places.push_back(next.second);
    i += in_a;
    j += in_b;
  }
  both.values = both.values.narrow(0, 0, both.size());
  return both;
}

}  // namespace

Shadow merge(const Shadow& a, const Shadow& b, const at::Tensor& golden) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  if (a.form.scale.defined() || b.form.scale.defined()) return merge(settled(a), settled(b), golden);
  if (a.form.is_change != b.form.is_change)
    return merge(as_changes(a, golden), as_changes(b, golden), golden);
  if (a.form.axis != b.form.axis) {
    const int64_t axis = a.is_points() ? b.form.axis : a.form.axis;
    return merge(to_rows(a, golden, axis), to_rows(b, golden, axis), golden);
  }
  Shadow merged(a.form);
  if (a.form.interleave != b.form.interleave) merged.form.interleave = 1;
  const int64_t width = a.width();
  merged.values = room_for(a.form, a.size() + b.size(), width);
  const auto bytes = width * static_cast<int64_t>(merged.values.element_size());
  char* to = static_cast<char*>(merged.values.mutable_data_ptr());
  const std::vector<Segment> of_a = segments(a);
  const std::vector<Segment> of_b = segments(b);
  const auto take = [&](const Shadow& from, const Segment& part) {
    std::memcpy(to + merged.size() * bytes,
                static_cast<const char*>(from.values.const_data_ptr()) + part.begin * bytes,
                static_cast<size_t>(part.size() * bytes));
    merged.trials.insert(merged.trials.end(), static_cast<size_t>(part.size()), part.trial);
    merged.places.insert(merged.places.end(), from.places.begin() + part.begin,
                         from.places.begin() + part.end);
  };
  size_t next_a = 0;
  size_t next_b = 0;
  while (next_a < of_a.size() || next_b < of_b.size()) {
    const bool a_first =
        next_b == of_b.size() || (next_a < of_a.size() && of_a[next_a].trial < of_b[next_b].trial);
    if (a_first) {
      take(a, of_a[next_a++]);
    } else {
      take(b, of_b[next_b++]);
    }
  }
  return merged;
}

Shadow behind(Shadow earlier, const Shadow& later) {
  if (earlier.empty()) return later;
  earlier.trials.insert(earlier.trials.end(), later.trials.begin(), later.trials.end());
  earlier.places.insert(earlier.places.end(), later.places.begin(), later.places.end());
  earlier.values = at::cat({earlier.values, later.values});
  return earlier;
}

Shadow overlay(const Shadow& a, const Shadow& b, const at::Tensor& golden) {
  return with_type(a.form.stored_type(), [&](auto type) { return overlaid<decltype(type)>(a, b, golden); });
}

}  // namespace faultwave::wave
