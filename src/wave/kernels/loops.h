// SPDX-License-Identifier: Apache-2.0
// The loops themselves, included once for each instruction set.
#pragma once

#include <cmath>
#include <cstdint>

#include "src/wave/kernels/kernels.h"

namespace faultwave::wave {
namespace {

void add(float* __restrict to, const float* __restrict from, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] += from[i];
}

void add_taps(float* to, const float* from, int64_t width, const Meeting* meetings, int64_t count) {
  for (int64_t m = 0; m < count; ++m)
    add(to + meetings[m].target * width, from + meetings[m].tap * width, width);
}

void add_columns(float* to, int64_t to_stride, const float* weight, int64_t stride, float factor,
                 int64_t width, const Meeting* meetings, int64_t count) {
  for (int64_t m = 0; m < count; ++m) {
    float* __restrict row = to + meetings[m].target * to_stride;
    const float* __restrict column = weight + meetings[m].tap * stride;
    for (int64_t i = 0; i < width; ++i)
      row[i] += factor * column[i];
  }
}

void add_products(float* to, const float* from, const float* weight, int64_t width, const Meeting* meetings,
                  int64_t count) {
  for (int64_t m = 0; m < count; ++m) {
    float* __restrict row = to + meetings[m].target * width;
    const float* __restrict tap = weight + meetings[m].tap * width;
    const float* __restrict change = from;
    for (int64_t i = 0; i < width; ++i)
      row[i] += change[i] * tap[i];
  }
}

/// Comparisons with NaN are false, so that NaN comes through.
inline float clamped(float value, float low, float high) {
  const float above = value < low ? low : value;
  return above > high ? high : above;
}

/// Written so that NaN counts as beyond.
inline int32_t is_beyond(float change, float least) {
  return !(std::fabs(change) <= least);
}

bool clamp_changes(float* __restrict to, const float* __restrict changes, const float* __restrict golden,
                   const float* __restrict scale, int64_t width, float low, float high, float least) {
  int32_t beyond = 0;
  for (int64_t i = 0; i < width; ++i) {
    const float change = scale == nullptr ? changes[i] : changes[i] * scale[i];
    const float result = clamped(golden[i] + change, low, high) - clamped(golden[i], low, high);
    to[i] = result;
    beyond |= is_beyond(result, least);
  }
  return beyond != 0;
}

void to_values(float* __restrict values, const float* __restrict changes, const float* __restrict golden,
               const float* __restrict scale, int64_t width) {
  for (int64_t i = 0; i < width; ++i)
    values[i] = golden[i] + (scale == nullptr ? changes[i] : changes[i] * scale[i]);
}

bool to_changes(float* __restrict values, const float* __restrict golden, int64_t width, float least) {
  int32_t beyond = 0;
  for (int64_t i = 0; i < width; ++i) {
    const float change = values[i] - golden[i];
    values[i] = change;
    beyond |= is_beyond(change, least);
  }
  return beyond != 0;
}

bool keep_golden(float* __restrict values, const float* __restrict before, const float* __restrict golden,
                 int64_t width, float least) {
  int32_t beyond = 0;
  for (int64_t i = 0; i < width; ++i) {
    const float value = before != nullptr && before[i] == 0 ? golden[i] : values[i];
    values[i] = value;
    beyond |= is_beyond(value - golden[i], least);
  }
  return beyond != 0;
}

void scale_row(float* __restrict to, const float* __restrict from, const float* __restrict scale,
               float factor, int64_t width) {
  for (int64_t i = 0; i < width; ++i)
    to[i] = (scale == nullptr ? from[i] : from[i] * scale[i]) * factor;
}

void sum(float* to, Kernels::Summand a, Kernels::Summand b, float factor, int64_t width) {
  if (a.values == nullptr) return scale_row(to, b.values, b.scale, factor, width);
  if (b.values == nullptr) return scale_row(to, a.values, a.scale, 1, width);
  float* __restrict out = to;
  const float* __restrict x = a.values;
  const float* __restrict y = b.values;
  const float* __restrict x_scale = a.scale;
  const float* __restrict y_scale = b.scale;
  for (int64_t i = 0; i < width; ++i) {
    const float first = x_scale == nullptr ? x[i] : x[i] * x_scale[i];
    const float second = y_scale == nullptr ? y[i] : y[i] * y_scale[i];
    out[i] = first + factor * second;
  }
}

void take_largest(float* __restrict to, const float* __restrict from, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = from[i] > to[i] || from[i] != from[i] ? from[i] : to[i];
}

#if defined(__AVX512F__)
constexpr int64_t kVector = 16;
constexpr int64_t kPartRows = 12;
constexpr int64_t kPartVectors = 2;
#elif defined(__AVX2__)
constexpr int64_t kVector = 8;
constexpr int64_t kPartRows = 6;
constexpr int64_t kPartVectors = 2;
#else
constexpr int64_t kVector = 4;
constexpr int64_t kPartRows = 4;
constexpr int64_t kPartVectors = 2;
#endif

/// Values that one instruction works on; anywhere in memory.
typedef float Vector __attribute__((vector_size(kVector * sizeof(float)), aligned(4), may_alias));

/// A part of a tile, as many values as the processor has registers for.
inline void multiply_part(float* to, int64_t stride, const float* left, const float* right,
                          const int32_t* picks, int64_t depth) {
  Vector sums[kPartRows][kPartVectors];
#pragma GCC unroll 12
  for (int64_t row = 0; row < kPartRows; ++row) {
#pragma GCC unroll 2
    for (int64_t v = 0; v < kPartVectors; ++v)
      sums[row][v] = Vector{};
  }
  for (int64_t step = 0; step < depth; ++step) {
    const float* values = right + picks[step] * kTileColumns;
    Vector columns[kPartVectors];
#pragma GCC unroll 2
    for (int64_t v = 0; v < kPartVectors; ++v)
      columns[v] = *reinterpret_cast<const Vector*>(values + v * kVector);
#pragma GCC unroll 12
    for (int64_t row = 0; row < kPartRows; ++row) {
      const float factor = left[step * kTileRows + row];
#pragma GCC unroll 2
      for (int64_t v = 0; v < kPartVectors; ++v)
        sums[row][v] += factor * columns[v];
    }
  }
#pragma GCC unroll 12
  for (int64_t row = 0; row < kPartRows; ++row) {
#pragma GCC unroll 2
    for (int64_t v = 0; v < kPartVectors; ++v)
      *reinterpret_cast<Vector*>(to + row * stride + v * kVector) += sums[row][v];
  }
}

void multiply_tile(float* to, int64_t stride, const float* left, const float* right, const int32_t* picks,
                   int64_t depth) {
  constexpr int64_t part_columns = kPartVectors * kVector;
  static_assert(kTileRows % kPartRows == 0 && kTileColumns % part_columns == 0);
  for (int64_t column = 0; column < kTileColumns; column += part_columns) {
    for (int64_t row = 0; row < kTileRows; row += kPartRows)
      multiply_part(to + row * stride + column, stride, left + row, right + column, picks, depth);
  }
}

template <int64_t kPixels, bool kIsByLane>
void convolve_pixels(float* to, const ConvolutionTile& tile) {
  for (int64_t lane = 0; lane < kLanes; lane += kVector) {
    Vector sums[kPixels];
#pragma GCC unroll 8
    for (int64_t pixel = 0; pixel < kPixels; ++pixel)
      sums[pixel] = Vector{};
    for (int64_t y = 0; y < tile.taps_y; ++y) {
      const float* weight = tile.weight + y * tile.weight_y + lane;
      for (int64_t x = 0; x < tile.taps_x; ++x) {
        const float* from = tile.from + y * tile.from_y + x * tile.from_x + (kIsByLane ? lane : 0);
        for (int64_t step = 0; step < tile.depth; ++step) {
          const Vector factor = *reinterpret_cast<const Vector*>(weight);
          weight += kLanes;
#pragma GCC unroll 8
          for (int64_t pixel = 0; pixel < kPixels; ++pixel) {
            const float* value = from + pixel * tile.from_pixel;
            if constexpr (kIsByLane) {
              sums[pixel] += *reinterpret_cast<const Vector*>(value) * factor;
            } else {
              sums[pixel] += *value * factor;
            }
          }
          from += kIsByLane ? kLanes : 1;
        }
      }
    }
#pragma GCC unroll 8
    for (int64_t pixel = 0; pixel < kPixels; ++pixel)
      *reinterpret_cast<Vector*>(to + pixel * kLanes + lane) = sums[pixel];
  }
}

template <bool kIsByLane>
void convolve_lanes(float* to, const ConvolutionTile& tile) {
  static_assert(kTilePixels == 8 && kLanes % kVector == 0);
  switch (tile.pixels) {
    case 1:
      return convolve_pixels<1, kIsByLane>(to, tile);
    case 2:
      return convolve_pixels<2, kIsByLane>(to, tile);
    case 3:
      return convolve_pixels<3, kIsByLane>(to, tile);
    case 4:
      return convolve_pixels<4, kIsByLane>(to, tile);
    case 5:
      return convolve_pixels<5, kIsByLane>(to, tile);
    case 6:
      return convolve_pixels<6, kIsByLane>(to, tile);
    case 7:
      return convolve_pixels<7, kIsByLane>(to, tile);
    default:
      return convolve_pixels<8, kIsByLane>(to, tile);
  }
}

void convolve_tile(float* to, const ConvolutionTile& tile) {
  return tile.is_by_lane ? convolve_lanes<true>(to, tile) : convolve_lanes<false>(to, tile);
}

/// Written so that NaN counts.
inline int32_t is_not_zero(float value) {
  return !(value == 0);
}

bool copy(float* __restrict to, const float* __restrict from, int64_t count) {
  int32_t found = 0;
  for (int64_t i = 0; i < count; ++i) {
    to[i] = from[i];
    found |= is_not_zero(from[i]);
  }
  return found != 0;
}

/// Each run fills the rest of the row, and more; the runs behind it write over that.
bool spread(float* to, const float* from, const int32_t* starts, int64_t runs, int64_t depth) {
  int32_t found = 0;
  for (int64_t step = 0; step < depth; ++step) {
    for (int64_t run = 0; run < runs; ++run) {
      const float value = from[run * depth + step];
      found |= is_not_zero(value);
      float* lanes = to + step * kLanes + starts[run];
      for (int64_t lane = 0; lane < kLanes; lane += kVector)
        *reinterpret_cast<Vector*>(lanes + lane) = value - Vector{};
    }
  }
  return found != 0;
}

constexpr Kernels kLoops{.add = add,
                         .add_taps = add_taps,
                         .add_columns = add_columns,
                         .add_products = add_products,
                         .clamp_changes = clamp_changes,
                         .to_values = to_values,
                         .to_changes = to_changes,
                         .keep_golden = keep_golden,
                         .sum = sum,
                         .take_largest = take_largest,
                         .multiply_tile = multiply_tile,
                         .convolve_tile = convolve_tile,
                         .copy = copy,
                         .spread = spread};

}  // namespace
}  // namespace faultwave::wave
