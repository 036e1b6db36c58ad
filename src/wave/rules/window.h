// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <vector>

#include "src/wave/shadow.h"

namespace faultwave::wave {

/// How windows slide over one axis of a map.
struct WindowAxis {
  int64_t in = 1;
  int64_t out = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t dilation = 1;

  /// Where tap `tap` of output `at` reads; may lie outside of [0, in).
  int64_t source(int64_t at, int64_t tap) const { return at * stride - padding + tap * dilation; }
  /// The output whose tap `tap` reads `at`; -1 for none.
  int64_t target(int64_t at, int64_t tap) const {
    const int64_t shifted = at + padding - tap * dilation;
    if (shifted < 0 || shifted % stride != 0 || shifted / stride >= out) return -1;
    return shifted / stride;
  }
};

/// Windows over the pixels of a map [1, channels, height, width]. Pixels are numbered as rows are.
struct Windows {
  WindowAxis y;
  WindowAxis x;

  /// Of arguments that give one number or two for each: kernel, stride, padding, dilation.
  static Windows over(const at::Tensor& in, const at::Tensor& out, c10::IntArrayRef kernel,
                      c10::IntArrayRef stride, c10::IntArrayRef padding, c10::IntArrayRef dilation);

  int64_t taps() const { return y.kernel * x.kernel; }
  int64_t targets() const { return y.out * x.out; }

  /// visit(target pixel, tap) for each window that reads this pixel.
  template <typename Visit>
  void for_each_target(int64_t pixel, Visit&& visit) const {
    for (int64_t tap_y = 0; tap_y < y.kernel; ++tap_y) {
      const int64_t at_y = y.target(pixel / x.in, tap_y);
      if (at_y < 0) continue;
      for (int64_t tap_x = 0; tap_x < x.kernel; ++tap_x) {
        const int64_t at_x = x.target(pixel % x.in, tap_x);
        if (at_x >= 0) visit(at_y * x.out + at_x, tap_y * x.kernel + tap_x);
      }
    }
  }

  /// visit(source pixel) for each pixel that this window reads.
  template <typename Visit>
  void for_each_source(int64_t target, Visit&& visit) const {
    for (int64_t tap_y = 0; tap_y < y.kernel; ++tap_y) {
      const int64_t at_y = y.source(target / x.out, tap_y);
      if (at_y < 0 || at_y >= y.in) continue;
      for (int64_t tap_x = 0; tap_x < x.kernel; ++tap_x) {
        const int64_t at_x = x.source(target % x.out, tap_x);
        if (at_x >= 0 && at_x < x.in) visit(at_y * x.in + at_x);
      }
    }
  }

  /// The pixels that read any of the rows [segment.begin, segment.end), ascending.
  std::vector<int32_t> dirty_targets(const Shadow& rows, const Segment& segment) const;
};

/// Rows of a result under construction: for each trial those that it dirties, and room for their values.
class TargetRows {
 public:
  TargetRows(const Shadow& in, const std::vector<Segment>& parts, const Windows& windows, int64_t channels);

  /// The rows of part `part`: [begin, end).
  int64_t begin(size_t part) const { return first_[part]; }
  int64_t end(size_t part) const { return first_[part + 1]; }
  Shadow shadow;  ///< along axis 1; values not initialised

  /// Of part `part`: by pixel of the result, the number of its row, -1 where it has none. `numbers` is used
  /// again from call to call.
  void number_pixels(size_t part, int64_t pixels, std::vector<int64_t>& numbers) const;

 private:
  std::vector<int64_t> first_;
};

}  // namespace faultwave::wave
