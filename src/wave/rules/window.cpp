// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/window.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>

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

std::vector<int32_t> Windows::dirty_targets(const Shadow& rows, const Segment& segment) const {
  std::vector<char> is_dirty(static_cast<size_t>(targets()), 0);
  for (int64_t entry = segment.begin; entry < segment.end; ++entry) {
    for_each_target(rows.places[static_cast<size_t>(entry)],
                    [&](int64_t target, int64_t) { is_dirty[static_cast<size_t>(target)] = 1; });
  }
  std::vector<int32_t> dirty;
  for (size_t target = 0; target < is_dirty.size(); ++target) {
    if (is_dirty[target]) dirty.push_back(static_cast<int32_t>(target));
  }
  return dirty;
}

TargetRows::TargetRows(const Shadow& in, const std::vector<Segment>& parts, const Windows& windows,
                       int64_t channels) {
  std::vector<std::vector<int32_t>> dirty(parts.size());
  at::parallel_for(0, static_cast<int64_t>(parts.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const auto at = static_cast<size_t>(part);
      dirty[at] = windows.dirty_targets(in, parts[at]);
    }
  });
  first_.push_back(0);
  for (size_t part = 0; part < parts.size(); ++part) {
    shadow.trials.insert(shadow.trials.end(), dirty[part].size(), parts[part].trial);
    shadow.places.insert(shadow.places.end(), dirty[part].begin(), dirty[part].end());
    first_.push_back(shadow.size());
  }
  shadow.axis = 1;
  shadow.values = at::empty({shadow.size(), channels}, at::kFloat);
}

void TargetRows::number_pixels(size_t part, int64_t pixels, std::vector<int64_t>& numbers) const {
  numbers.assign(static_cast<size_t>(pixels), -1);
  for (int64_t row = begin(part); row < end(part); ++row)
    numbers[static_cast<size_t>(shadow.places[static_cast<size_t>(row)])] = row;
}

}  // namespace faultwave::wave
