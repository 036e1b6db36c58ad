// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "src/common/parallel_for.h"
#include "src/wave/shadow.h"

namespace faultwave::wave {

/// work(first, last) in parallel, for stretches of the parts from `first` to one before `last` that have
/// about as many entries each: trials differ in very different numbers of rows, early faults in most. Parts
/// lie one behind the other.
template <typename Work>
void for_parts(const std::vector<Segment>& parts, size_t first, size_t last, Work&& work) {
  if (first >= last) return;
  const int64_t stretches = at::get_num_threads();
  const int64_t begin = parts[first].begin;
  const int64_t entries = parts[last - 1].end - begin;
  const auto start_of = [&](int64_t stretch) {
    const int64_t entry = begin + entries * stretch / stretches;
    return std::lower_bound(parts.begin() + static_cast<int64_t>(first),
                            parts.begin() + static_cast<int64_t>(last), entry,
                            [](const Segment& part, int64_t wanted) { return part.begin < wanted; }) -
           parts.begin();
  };
  parallel_for(0, stretches, 1, [&](int64_t from, int64_t to) {
    const auto end = to == stretches ? static_cast<int64_t>(last) : start_of(to);
    if (start_of(from) < end) work(static_cast<size_t>(start_of(from)), static_cast<size_t>(end));
  });
}

template <typename Work>
void for_parts(const std::vector<Segment>& parts, Work&& work) {
  for_parts(parts, 0, parts.size(), work);
}

}  // namespace faultwave::wave
