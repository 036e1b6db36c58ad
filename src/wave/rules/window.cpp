// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/window.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <numeric>

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
  for (int64_t entry = segment.begin; entry < segment.end; ++entry) {
    for_each_target(rows.places[static_cast<size_t>(entry)] % sources(), [&](int64_t target, int64_t) {
      is_dirty[static_cast<size_t>(target)] = 1;
      first = std::min(first, target);
      last = std::max(last, target);
    });
  }
  Indices dirty;
  for (int64_t target = first; target <= last; ++target) {
    if (is_dirty[static_cast<size_t>(target)]) dirty.push_back(static_cast<int32_t>(target));
  }
  return dirty;
}

std::vector<Indices> Windows::dirty_targets(const Shadow& rows,
                                                         const std::vector<Segment>& parts) const {
  std::vector<Indices> dirty(parts.size());
  at::parallel_for(0, static_cast<int64_t>(parts.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const auto at = static_cast<size_t>(part);
      dirty[at] = dirty_targets(rows, parts[at]);
    }
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
  int64_t map_of_last = -1;
  for (int64_t entry = 0; entry < rows.size(); ++entry) {
    const int32_t trial = rows.trials[static_cast<size_t>(entry)];
    const int64_t map = rows.places[static_cast<size_t>(entry)] / pixels;
    if (found.empty() || found.back().trial != trial || map != map_of_last)
      found.push_back({trial, entry, entry});
    found.back().end = entry + 1;
    map_of_last = map;
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
                       const std::vector<Indices>& dirty, int64_t channels) {
  first_.push_back(0);
  for (size_t part = 0; part < parts.size(); ++part) {
    const int64_t map = in.places[static_cast<size_t>(parts[part].begin)] / windows.sources();
    const auto first = static_cast<int32_t>(map * windows.targets());
    shadow.trials.insert(shadow.trials.end(), dirty[part].size(), parts[part].trial);
    for (const int32_t pixel : dirty[part])
      shadow.places.push_back(first + pixel);
    first_.push_back(shadow.size());
  }
  shadow.axis = 1;
  shadow.values = at::empty({shadow.size(), channels}, at::kFloat);
}

}  // namespace faultwave::wave
