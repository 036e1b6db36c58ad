// SPDX-License-Identifier: Apache-2.0
#include "src/wave/shadow.h"

#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/golden_memo.h"

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

bool same_bits(const float* a, const float* b, int64_t count) {
  return std::memcmp(a, b, static_cast<size_t>(count) * sizeof(float)) == 0;
}

void copy(float* to, const float* from, int64_t count) {
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

at::Tensor floats(std::initializer_list<int64_t> sizes) {
  return at::empty(sizes, at::kFloat);
}

/// Not initialised, for so many entries of the width that `like` has.
at::Tensor room_for(const Shadow& like, int64_t entries) {
  return like.is_points() ? floats({entries}) : floats({entries, like.width()});
}

/// Points of rows: the values that differ.
void append_points(const Shadow& rows, const RowSpace& space, const float* golden, PointList& points) {
  const float* from = rows.values.const_data_ptr<float>();
  std::vector<std::pair<int32_t, float>> found;
  for (const Segment& segment : segments(rows)) {
    found.clear();
    for (int64_t entry = segment.begin; entry < segment.end; ++entry) {
      const int64_t row = rows.places[static_cast<size_t>(entry)];
      for (int64_t channel = 0; channel < space.channels; ++channel) {
        const int64_t offset = space.offset(row, channel);
        const float value = from[entry * space.channels + channel];
        const bool differs = rows.is_change ? value != 0 : !same_bits(&value, golden + offset, 1);
        if (differs) found.emplace_back(static_cast<int32_t>(offset), value);
      }
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [offset, value] : found)
      points.add(segment.trial, offset, value);
  }
}

/// Many are counted into their places, few are sorted. `at_place` and `few` are memory to work in.
void order_segment(Moves& moves, const Segment& part, int64_t count, std::vector<int64_t>& at_place,
                   std::vector<std::pair<int32_t, int64_t>>& few) {
  constexpr int64_t kShareOfMany = 16;
  const auto begin = static_cast<size_t>(part.begin);
  const auto end = static_cast<size_t>(part.end);
  if (std::is_sorted(moves.places.begin() + part.begin, moves.places.begin() + part.end)) return;
  size_t next = begin;
  const auto put = [&](int32_t place, int64_t entry) {
    moves.places[next] = place;
    moves.entries[next++] = entry;
  };
  if (part.size() * kShareOfMany > count) {
    at_place.assign(static_cast<size_t>(count), -1);
    for (size_t i = begin; i < end; ++i)
      at_place[static_cast<size_t>(moves.places[i])] = moves.entries[i];
    for (int64_t place = 0; place < count; ++place) {
      const int64_t entry = at_place[static_cast<size_t>(place)];
      if (entry >= 0) put(static_cast<int32_t>(place), entry);
    }
    return;
  }
  few.clear();
  for (size_t i = begin; i < end; ++i)
    few.emplace_back(moves.places[i], moves.entries[i]);
  std::sort(few.begin(), few.end());
  for (const auto& [place, entry] : few)
    put(place, entry);
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

bool can_have_shadow(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.layout() == at::kStrided &&
         !tensor.is_nested();
}

std::vector<Segment> segments(const Shadow& shadow) {
  std::vector<Segment> found;
  for (int64_t begin = 0; begin < shadow.size();) {
    const int32_t trial = shadow.trials[static_cast<size_t>(begin)];
    const int64_t end = end_of_trial(shadow.trials, begin);
    found.push_back({trial, begin, end});
    begin = end;
  }
  return found;
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
  const at::Tensor rows = rows_of(golden, shadow.axis).index_select(0, places);
  return shadow.is_points() ? rows.view({-1}) : rows;
}

Shadow with_values(const Shadow& part, at::Tensor values, bool is_change) {
  Shadow shadow;
  shadow.axis = part.axis;
  shadow.trials = part.trials;
  shadow.places = part.places;
  shadow.values = std::move(values);
  shadow.is_change = is_change;
  return shadow;
}

Shadow settled(Shadow shadow) {
  if (!shadow.scale.defined()) return shadow;
  shadow.values = shadow.values * shadow.scale;
  shadow.scale = at::Tensor();
  return shadow;
}

Shadow as_values(Shadow shadow, const at::Tensor& golden) {
  if (!shadow.is_change) return shadow;
  const int64_t width = shadow.width();
  const at::Tensor rows = rows_of(golden, shadow.axis);
  const float* before = rows.const_data_ptr<float>();
  const float* changes = shadow.values.const_data_ptr<float>();
  const float* scale = shadow.scale.defined() ? shadow.scale.const_data_ptr<float>() : nullptr;
  at::Tensor values = at::empty_like(shadow.values);
  float* to = values.mutable_data_ptr<float>();
  parallel_for(0, shadow.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const float* from = before + shadow.places[static_cast<size_t>(entry)] * width;
      for (int64_t i = 0; i < width; ++i) {
        const float own = changes[entry * width + i];
        const float change = scale == nullptr ? own : own * scale[i];
        to[entry * width + i] = change == 0 ? from[i] : from[i] + change;  // -0 stays -0
      }
    }
  });
  shadow.values = std::move(values);
  shadow.is_change = false;
  shadow.scale = at::Tensor();
  return shadow;
}

Shadow as_changes(Shadow shadow, const at::Tensor& golden) {
  if (shadow.is_change) return shadow;
  const int64_t width = shadow.width();
  const at::Tensor rows = rows_of(golden, shadow.axis);
  const float* before = rows.const_data_ptr<float>();
  const float* values = shadow.values.const_data_ptr<float>();
  at::Tensor changes = at::empty_like(shadow.values);
  float* to = changes.mutable_data_ptr<float>();
  parallel_for(0, shadow.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const float* from = before + shadow.places[static_cast<size_t>(entry)] * width;
      for (int64_t i = 0; i < width; ++i) {
        const float value = values[entry * width + i];
        to[entry * width + i] = same_bits(&value, from + i, 1) ? 0.0f : value - from[i];
      }
    }
  });
  shadow.values = std::move(changes);
  shadow.is_change = true;
  return shadow;
}

Shadow to_rows(const Shadow& shadow, const at::Tensor& golden, int64_t axis) {
  if (shadow.axis == axis) return shadow;
  if (!shadow.is_points()) return to_rows(to_points(shadow, golden), golden, axis);
  const RowSpace space(golden.sizes(), axis);

  Shadow rows;
  rows.axis = axis;
  rows.is_change = shadow.is_change;
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
  if (shadow.is_change) {
    rows.values = at::zeros({rows.size(), space.channels}, at::kFloat);
  } else {
    rows.values = golden_at(rows, golden);
  }
  float* to = rows.values.mutable_data_ptr<float>();
  const float* values = shadow.values.const_data_ptr<float>();
  for (int64_t i = 0; i < shadow.size(); ++i) {
    const int64_t channel = space.channel_of(shadow.places[static_cast<size_t>(i)]);
    to[entry_of[static_cast<size_t>(i)] * space.channels + channel] = values[i];
  }
  return rows;
}

Shadow to_points(const Shadow& shadow, const at::Tensor& golden) {
  if (shadow.is_points()) return shadow;
  if (shadow.scale.defined()) return to_points(settled(shadow), golden);
  const at::Tensor whole = golden.contiguous();
  PointList points;
  append_points(shadow, RowSpace(golden.sizes(), shadow.axis), whole.const_data_ptr<float>(), points);
  Shadow found = points.take();
  found.is_change = shadow.is_change;
  return found;
}

void drop_golden(Shadow& shadow, const at::Tensor& golden) {
  if (shadow.empty()) return;
  const int64_t width = shadow.width();
  const at::Tensor rows = shadow.is_change ? at::Tensor() : rows_of(golden, shadow.axis);
  const float* from = shadow.is_change ? nullptr : rows.const_data_ptr<float>();
  const float* values = shadow.values.const_data_ptr<float>();
  std::vector<char> keep(shadow.trials.size());
  parallel_for(0, shadow.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const auto at = static_cast<size_t>(entry);
      const float* own = values + entry * width;
      keep[at] = shadow.is_change ? std::any_of(own, own + width, [](float change) { return change != 0; })
                                  : !same_bits(own, from + shadow.places[at] * width, width);
    }
  });
  keep_entries(shadow, keep);
}

void keep_entries(Shadow& shadow, const std::vector<char>& keep) {
  constexpr int64_t kStretch = 4096;
  const int64_t stretches = (shadow.size() + kStretch - 1) / kStretch;
  std::vector<int64_t> first(static_cast<size_t>(stretches) + 1, 0);  // kept before each stretch
  for (int64_t stretch = 0; stretch < stretches; ++stretch) {
    const auto begin = keep.begin() + stretch * kStretch;
    const auto end = keep.begin() + std::min((stretch + 1) * kStretch, shadow.size());
    first[static_cast<size_t>(stretch) + 1] =
        first[static_cast<size_t>(stretch)] + std::count_if(begin, end, [](char k) { return k != 0; });
  }
  const int64_t kept = first.back();
  if (kept == shadow.size()) return;
  const int64_t width = shadow.width();
  const float* from = shadow.values.const_data_ptr<float>();
  const at::Tensor values = room_for(shadow, kept);
  float* to = values.mutable_data_ptr<float>();
  Indices trials(static_cast<size_t>(kept));
  Indices places(static_cast<size_t>(kept));
  parallel_for(0, stretches, 1, [&](int64_t begin, int64_t end) {
    auto next = static_cast<size_t>(first[static_cast<size_t>(begin)]);
    for (int64_t entry = begin * kStretch; entry < std::min(end * kStretch, shadow.size()); ++entry) {
      const auto at = static_cast<size_t>(entry);
      if (!keep[at]) continue;
      trials[next] = shadow.trials[at];
      places[next] = shadow.places[at];
      copy(to + static_cast<int64_t>(next) * width, from + entry * width, width);
      ++next;
    }
  });
  shadow.trials = std::move(trials);
  shadow.places = std::move(places);
  shadow.values = values;
}

Shadow slice_of(const Shadow& shadow, int32_t begin, int32_t end) {
  const auto first = std::lower_bound(shadow.trials.begin(), shadow.trials.end(), begin);
  const auto last = std::lower_bound(first, shadow.trials.end(), end);
  const auto from = first - shadow.trials.begin();
  const auto to = last - shadow.trials.begin();
  if (from == 0 && to == shadow.size()) return shadow;
  Shadow slice;
  slice.axis = shadow.axis;
  slice.trials.assign(first, last);
  slice.places.assign(shadow.places.begin() + from, shadow.places.begin() + to);
  slice.values = shadow.values.narrow(0, from, to - from);
  slice.is_change = shadow.is_change;
  slice.scale = shadow.scale;
  slice.interleave = shadow.interleave;
  return slice;
}

Shadow moved(const Shadow& shadow, const Indices& places, int64_t count) {
  Moves moves{shadow.trials, places, Entries(places.size())};
  std::iota(moves.entries.begin(), moves.entries.end(), int64_t{0});
  put_in_order(moves, count);
  Shadow out;
  out.axis = shadow.axis;
  out.is_change = shadow.is_change;
  out.scale = shadow.scale;
  out.trials = std::move(moves.trials);
  out.places = std::move(moves.places);
  const bool stays = std::is_sorted(moves.entries.begin(), moves.entries.end());
  out.values = stays ? shadow.values : shadow.values.index_select(0, at::tensor(moves.entries, at::kLong));
  return out;
}

void put_in_order(Moves& moves, int64_t count) {
  Shadow trials;
  trials.trials = moves.trials;
  const std::vector<Segment> parts = segments(trials);
  parallel_for(0, static_cast<int64_t>(parts.size()), 1, [&](int64_t first, int64_t last) {
    std::vector<int64_t> at_place;
    std::vector<std::pair<int32_t, int64_t>> few;
    for (int64_t part = first; part < last; ++part)
      order_segment(moves, parts[static_cast<size_t>(part)], count, at_place, few);
  });
}

Shadow select_trials(const Shadow& shadow, const std::vector<char>& keep) {
  std::vector<char> keep_entry(shadow.trials.size());
  std::transform(shadow.trials.begin(), shadow.trials.end(), keep_entry.begin(),
                 [&](int32_t trial) { return keep[static_cast<size_t>(trial)]; });
  Shadow selected = shadow;
  keep_entries(selected, keep_entry);
  return selected;
}

Shadow merge(const Shadow& a, const Shadow& b, const at::Tensor& golden) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  if (a.scale.defined() || b.scale.defined()) return merge(settled(a), settled(b), golden);
  if (a.is_change != b.is_change) return merge(as_changes(a, golden), as_changes(b, golden), golden);
  if (a.axis != b.axis) {
    const int64_t axis = a.is_points() ? b.axis : a.axis;
    return merge(to_rows(a, golden, axis), to_rows(b, golden, axis), golden);
  }
  Shadow merged;
  merged.axis = a.axis;
  merged.is_change = a.is_change;
  merged.interleave = a.interleave == b.interleave ? a.interleave : 1;
  const int64_t width = a.width();
  merged.values = room_for(a, a.size() + b.size());
  float* to = merged.values.mutable_data_ptr<float>();
  const std::vector<Segment> of_a = segments(a);
  const std::vector<Segment> of_b = segments(b);
  const auto take = [&](const Shadow& from, const Segment& part) {
    copy(to + merged.size() * width, from.values.const_data_ptr<float>() + part.begin * width,
         part.size() * width);
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
  const int64_t width = a.width();
  const at::Tensor rows = a.is_change ? at::Tensor() : rows_of(golden, a.axis);
  const float* before = a.is_change ? nullptr : rows.const_data_ptr<float>();
  const float* of_a = a.values.const_data_ptr<float>();
  const float* of_b = b.values.const_data_ptr<float>();
  Shadow both;
  both.axis = a.axis;
  both.is_change = a.is_change;
  both.values = room_for(a, a.size() + b.size());
  float* to = both.values.mutable_data_ptr<float>();
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
    float* out = to + both.size() * width;
    copy(out, in_a ? of_a + i * width : of_b + j * width, width);
    for (int64_t c = 0; in_a && in_b && c < width; ++c) {
      const float value = of_b[j * width + c];
      const bool differs = a.is_change ? value != 0 : !same_bits(&value, before + next.second * width + c, 1);
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

at::Tensor materialise(const Shadow& shadow, const Segment& segment, const at::Tensor& golden) {
  at::Tensor whole = golden.clone(at::MemoryFormat::Contiguous);
  float* to = whole.mutable_data_ptr<float>();
  const float* values = shadow.values.const_data_ptr<float>();
  const float* scale = shadow.scale.defined() ? shadow.scale.const_data_ptr<float>() : nullptr;
  const RowSpace space(golden.sizes(), shadow.axis);
  const int64_t width = shadow.width();
  for (int64_t entry = segment.begin; entry < segment.end; ++entry) {
    const int64_t place = shadow.places[static_cast<size_t>(entry)];
    for (int64_t channel = 0; channel < width; ++channel) {
      float& at = to[shadow.is_points() ? place : space.offset(place, channel)];
      const float own = values[entry * width + channel];
      const float value = scale == nullptr ? own : own * scale[channel];
      if (!shadow.is_change) {
        at = value;
      } else if (value != 0) {  // -0 stays -0
        at += value;
      }
    }
  }
  return whole;
}

void PointList::add(int32_t trial, int32_t offset, float value) {
  shadow_.trials.push_back(trial);
  shadow_.places.push_back(offset);
  values_.push_back(value);
}

void PointList::add_differences(int32_t trial, const at::Tensor& golden, const at::Tensor& faulty) {
  const at::Tensor before = golden.contiguous();
  const at::Tensor after = faulty.contiguous();
  const float* a = before.const_data_ptr<float>();
  const float* b = after.const_data_ptr<float>();
  for (int64_t offset = 0; offset < before.numel(); ++offset) {
    if (!same_bits(a + offset, b + offset, 1)) add(trial, static_cast<int32_t>(offset), b[offset]);
  }
}

Shadow PointList::take() {
  shadow_.values = floats({shadow_.size()});
  copy(shadow_.values.mutable_data_ptr<float>(), values_.data(), shadow_.size());
  values_.clear();
  return std::exchange(shadow_, {});
}

}  // namespace faultwave::wave
