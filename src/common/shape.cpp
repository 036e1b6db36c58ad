// SPDX-License-Identifier: Apache-2.0
#include "src/common/shape.h"

namespace faultwave {

std::vector<int64_t> unravel(int64_t offset, c10::IntArrayRef shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    index[d] = offset % shape[d];
    offset /= shape[d];
  }
  return index;
}

std::string shape_text(c10::IntArrayRef shape) {
  std::string text = "[";
  for (size_t axis = 0; axis < shape.size(); ++axis)
    text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
  return text + "]";
}

}  // namespace faultwave
