// SPDX-License-Identifier: Apache-2.0
// Inner loops of the wave engine, compiled for several instruction sets; the best that the processor has is
// chosen at run time. Pointers are to FP32 values, rows lie one behind the other.
#pragma once

#include <cstdint>

namespace faultwave::wave {

/// One meeting of a row that is read with a row that is written, `tap` saying by which part of a weight.
struct Meeting {
  int32_t target = 0;  ///< number of the row that is written
  int32_t tap = 0;
};

/// A tile of a matrix product.
constexpr int64_t kTileRows = 12;
constexpr int64_t kTileColumns = 32;

/// A tile of a convolution in groups: so many output channels, its lanes, of at most so many pixels that lie
/// beside each other.
constexpr int64_t kLanes = 16;
constexpr int64_t kTilePixels = 8;

/// What such a tile reads; strides count values.
struct ConvolutionTile {
  const float* from = nullptr;    ///< what the first pixel reads by the first tap
  const float* weight = nullptr;  ///< of the first tap: for each step of `depth` kLanes values
  bool is_by_lane = false;        ///< a step reads kLanes values, one for each lane; else one for all of them
  int64_t depth = 1;              ///< steps of a tap: input channels of a group
  int64_t pixels = 1;             ///< of the tile, up to kTilePixels
  int64_t from_pixel = 0;         ///< from what a pixel reads to what the next one does
  int64_t taps_y = 1;
  int64_t taps_x = 1;
  int64_t from_y = 0;    ///< from what a row of taps reads to what the next one does
  int64_t from_x = 0;    ///< from tap to tap in a row
  int64_t weight_y = 0;  ///< from row to row of taps
};

struct Kernels {
  /// to += from.
  void (*add)(float* to, const float* from, int64_t count);
  /// The rows that an entry meets get a tap of it each: to[target] += from[tap], both `width` wide.
  void (*add_taps)(float* to, const float* from, int64_t width, const Meeting* meetings, int64_t count);
  /// to[target] += factor * weight[tap], where taps lie `stride` apart.
  void (*add_columns)(float* to, int64_t to_stride, const float* weight, int64_t stride, float factor,
                      int64_t width, const Meeting* meetings, int64_t count);
  /// to[target] += from * weight[tap], channel by channel.
  void (*add_products)(float* to, const float* from, const float* weight, int64_t width,
                       const Meeting* meetings, int64_t count);
  /// to = clamp(golden + scale * change, low, high) - clamp(golden, low, high), where `scale` may be null.
  /// NaN stays NaN. Whether any magnitude is above `least`, or NaN.
  bool (*clamp_changes)(float* to, const float* changes, const float* golden, const float* scale,
                        int64_t width, float low, float high, float least);
  /// values = golden + scale * change; `scale` may be null.
  void (*to_values)(float* values, const float* changes, const float* golden, const float* scale,
                    int64_t width);
  /// values -= golden. Whether any magnitude is above `least`, or NaN.
  bool (*to_changes)(float* values, const float* golden, int64_t width, float least);
  /// values = golden where `before`, the change before an operator, is 0; it may be null. Whether any value
  /// is further from the golden one than `least`, or NaN.
  bool (*keep_golden)(float* values, const float* before, const float* golden, int64_t width, float least);
  /// A row that is added: `values` times `scale`, channel by channel; both may be null.
  struct Summand {
    const float* values = nullptr;
    const float* scale = nullptr;
  };
  /// to = a + factor * b, of which one at least is there.
  void (*sum)(float* to, Summand a, Summand b, float factor, int64_t width);
  /// to = the larger one; NaN wins.
  void (*take_largest)(float* to, const float* from, int64_t count);
  /// A tile of to, kTileRows x kTileColumns with rows `stride` apart, += a product over `depth` steps: `left`
  /// has kTileRows values a step; of `right`, which has rows of kTileColumns values, a step reads row
  /// `picks[step]`.
  void (*multiply_tile)(float* to, int64_t stride, const float* left, const float* right,
                        const int32_t* picks, int64_t depth);
  /// to, a row of kLanes for each pixel, = the sums of a tile over taps and steps.
  void (*convolve_tile)(float* to, const ConvolutionTile& tile);
  /// to = from. Whether any value is not 0.
  bool (*copy)(float* to, const float* from, int64_t count);
  /// Lanes from starts[run] to the next run's start read the same: row `step` of to, which has `depth` rows
  /// of kLanes and room for one more, gets from[run * depth + step] there. The first start is 0. Whether any
  /// value is not 0.
  bool (*spread)(float* to, const float* from, const int32_t* starts, int64_t runs, int64_t depth);
};

/// For the processor at hand.
const Kernels& kernels();

/// Those of one instruction set each.
const Kernels& baseline_kernels();
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();

}  // namespace faultwave::wave
