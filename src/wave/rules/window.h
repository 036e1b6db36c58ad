// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <vector>

#include "src/wave/kernels/kernels.h"
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

/// Windows over the pixels of maps [N, channels, height, width]. Rows of such a tensor are numbered map by
/// map; a pixel is numbered within its map.
struct Windows {
  WindowAxis y;
  WindowAxis x;

  /// Of arguments that give one number or two for each: kernel, stride, padding, dilation.
  static Windows over(const at::Tensor& in, const at::Tensor& out, c10::IntArrayRef kernel,
                      c10::IntArrayRef stride, c10::IntArrayRef padding, c10::IntArrayRef dilation);

  int64_t taps() const { return y.kernel * x.kernel; }
  int64_t sources() const { return y.in * x.in; }
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

  /// visit(source pixel, tap) for each pixel that this window reads.
  template <typename Visit>
  void for_each_source(int64_t target, Visit&& visit) const {
    for (int64_t tap_y = 0; tap_y < y.kernel; ++tap_y) {
      const int64_t at_y = y.source(target / x.out, tap_y);
      if (at_y < 0 || at_y >= y.in) continue;
      for (int64_t tap_x = 0; tap_x < x.kernel; ++tap_x) {
        const int64_t at_x = x.source(target % x.out, tap_x);
        if (at_x >= 0 && at_x < x.in) visit(at_y * x.in + at_x, tap_y * x.kernel + tap_x);
      }
    }
  }

  /// The pixels that read any of the rows [segment.begin, segment.end), which are of one map; ascending.
  Indices dirty_targets(const Shadow& rows, const Segment& segment) const;
  /// The same for many segments.
  std::vector<Indices> dirty_targets(const Shadow& rows, const std::vector<Segment>& parts) const;
  /// All of them.
  Indices all_targets() const;
};

/// The entries of each trial in each map, in order; entries are rows along axis 1 of maps of so many pixels.
std::vector<Segment> segments_by_map(const Shadow& rows, int64_t pixels);

/// By pixel of a map, the number of an entry: those of one segment at a time, -1 elsewhere. Memory is used
/// again from segment to segment.
class EntryOfPixel {
 public:
  explicit EntryOfPixel(int64_t pixels) : entries_(static_cast<size_t>(pixels), -1) {}

  /// Forgets the segment before.
  void number(const Shadow& rows, int64_t begin, int64_t end);
  int32_t operator[](int64_t pixel) const { return entries_[static_cast<size_t>(pixel)]; }

 private:
  Indices entries_;
  Indices set_;  // pixels that are not -1
};

/// Rows of a result under construction: for each trial those that it dirties, and room for their values.
class TargetRows {
 public:
  /// `parts` are of one map each; `dirty`: for each part the pixels of its map that it dirties; `form`: of
  /// rows along axis 1.
  TargetRows(const Shadow& in, const std::vector<Segment>& parts, const Windows& windows,
             const std::vector<Indices>& dirty, const Form& form, int64_t channels);

  /// The rows of part `part`: [begin, end).
  int64_t begin(size_t part) const { return first_[part]; }
  int64_t end(size_t part) const { return first_[part + 1]; }
  int64_t size(size_t part) const { return end(part) - begin(part); }
  Shadow shadow;  ///< values not initialised

 private:
  std::vector<int64_t> first_;
};

}  // namespace faultwave::wave
