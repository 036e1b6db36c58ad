// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/window.h"

#include <torch/types.h>

#include <algorithm>
#include <numeric>

#include "src/wave/for_parts.h"

namespace faultwave::wave {

Windows Windows::over(const at::Tensor& in, const at::Tensor& out, c10::IntArrayRef kernel,
                      c10::IntArrayRef stride, c10::IntArrayRef padding, c10::IntArrayRef dilation) {
  const auto axis = [&](int64_t d, size_t which) {
    const auto pick = [which](c10::IntArrayRef numbers) {
      return numbers[std::min(which, numbers.size() - 1)];
    };
    return WindowAxis{.in = in.size(d),
                      .out = out.size(d),
                      .kernel = pick(kernel),
                      .stride = pick(stride),
                      .padding = pick(padding),
                      .dilation = pick(dilation)};
  };
  return {.y = axis(2, 0), .x = axis(3, 1)};
}

Indices Windows::dirty_targets(const Shadow& rows, const Segment& segment) const {
  std::vector<char> is_dirty(static_cast<size_t>(targets()), 0);
  int64_t first = targets();
  int64_t last = -1;
  size_t count = 0;
  for (int64_t entry = segment.begin; entry < segment.end; ++entry) {
    for_each_target(rows.places[static_cast<size_t>(entry)] % sources(), [&](int64_t target, int64_t) {
      count += is_dirty[static_cast<size_t>(target)] == 0;
      is_dirty[static_cast<size_t>(target)] = 1;
      first = std::min(first, target);
      last = std::max(last, target);
    });
  }
  Indices dirty;
  dirty.reserve(count);  // growing, it would leave pieces of all sizes behind
  for (int64_t target = first; target <= last; ++target) {
    if (is_dirty[static_cast<size_t>(target)]) dirty.push_back(static_cast<int32_t>(target));
  }
  return dirty;
}

std::vector<Indices> Windows::dirty_targets(const Shadow& rows, const std::vector<Segment>& parts) const {
  std::vector<Indices> dirty(parts.size());
  for_parts(parts, [&](size_t first, size_t last) {
    for (size_t part = first; part < last; ++part)
      dirty[part] = dirty_targets(rows, parts[part]);
  });
  return dirty;
}

Indices Windows::all_targets() const {
  Indices all(static_cast<size_t>(targets()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::vector<Segment> segments_by_map(const Shadow& rows, int64_t pixels) {
  std::vector<Segment> found;
  for (const Segment& segment : segments(rows)) {
    for (int64_t begin = segment.begin; begin < segment.end;) {
      const int64_t map = rows.places[static_cast<size_t>(begin)] / pixels;
      const auto behind = std::lower_bound(rows.places.begin() + begin, rows.places.begin() + segment.end,
                                           (map + 1) * pixels);
      const int64_t end = behind - rows.places.begin();
      found.push_back({segment.trial, begin, end});
      begin = end;
    }
  }
  return found;
}

void EntryOfPixel::number(const Shadow& rows, int64_t begin, int64_t end) {
  for (const int32_t pixel : set_)
    entries_[static_cast<size_t>(pixel)] = -1;
  set_.clear();
  const auto pixels = static_cast<int32_t>(entries_.size());
  for (int64_t entry = begin; entry < end; ++entry) {
    const int32_t pixel = rows.places[static_cast<size_t>(entry)] % pixels;
    entries_[static_cast<size_t>(pixel)] = static_cast<int32_t>(entry);
    set_.push_back(pixel);
  }
}

TargetRows::TargetRows(const Shadow& in, const std::vector<Segment>& parts, const Windows& windows,
                       const std::vector<Indices>& dirty, const Form& form, int64_t channels)
    : shadow(form) {
  first_.push_back(0);
  for (size_t part = 0; part < parts.size(); ++part)
    first_.push_back(first_.back() + static_cast<int64_t>(dirty[part].size()));
  shadow.trials.resize(static_cast<size_t>(first_.back()));
  shadow.places.resize(static_cast<size_t>(first_.back()));
  for_parts(parts, [&](size_t first_part, size_t last_part) {
    for (size_t part = first_part; part < last_part; ++part) {
      const int64_t map = in.places[static_cast<size_t>(parts[part].begin)] / windows.sources();
      const auto first = static_cast<int32_t>(map * windows.targets());
      std::fill_n(shadow.trials.begin() + begin(part), size(part), parts[part].trial);
      std::transform(dirty[part].begin(), dirty[part].end(), shadow.places.begin() + begin(part),
                     [first](int32_t pixel) { return first + pixel; });
    }
  });
  shadow.values = room_for(form, shadow.size(), channels);
}

}  // namespace faultwave::wave
