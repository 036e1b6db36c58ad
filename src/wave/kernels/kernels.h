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
};

/// For the processor at hand.
const Kernels& kernels();

/// Those of one instruction set each.
const Kernels& baseline_kernels();
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();

}  // namespace faultwave::wave
