// SPDX-License-Identifier: Apache-2.0
#include "src/common/storage_extent.h"

#include <algorithm>

namespace faultwave {
namespace {

constexpr size_t kMostAxes = 64;                     // as in NumPy and ATen
constexpr int64_t kMostElements = int64_t{1} << 58;  // times 16 bytes, that still fits 63 bits

}  // namespace

std::optional<int64_t> storage_extent(c10::IntArrayRef sizes, c10::IntArrayRef strides, int64_t offset) {
  if (sizes.size() != strides.size() || sizes.size() > kMostAxes || offset < 0 || offset > kMostElements)
    return std::nullopt;
  int64_t elements = 1;
  int64_t last = offset;  // the element that lies furthest
  bool is_empty = false;
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    if (sizes[axis] < 0 || strides[axis] < 0 || sizes[axis] > kMostElements / elements) return std::nullopt;
    is_empty |= sizes[axis] == 0;
    elements *= std::max<int64_t>(sizes[axis], 1);
    const int64_t steps = std::max<int64_t>(sizes[axis] - 1, 0);
    if (steps > 0 && strides[axis] > (kMostElements - last) / steps) return std::nullopt;
    last += steps * strides[axis];
  }
  return is_empty ? 0 : last + 1;
}

}  // namespace faultwave
