// SPDX-License-Identifier: Apache-2.0
#include "src/data/resample.h"

#include <algorithm>
#include <cmath>

namespace faultwave {
namespace {

constexpr int fraction_bits = 22;
constexpr int32_t one_half = int32_t{1} << (fraction_bits - 1);
constexpr int64_t channels = 3;

/// The source positions that one target position is made of: `first`, `first + 1`, ...
struct Window {
  int64_t first = 0;
  std::vector<int32_t> weights;  // in units of 2^-22
};

Window make_window(double centre, double reach, int64_t source_size) {
  Window window;
  window.first = std::max<int64_t>(0, static_cast<int64_t>(centre - reach + 0.5));
  const int64_t last = std::min(source_size, static_cast<int64_t>(centre + reach + 0.5));
  std::vector<double> weights;
  double sum = 0;
  for (int64_t i = window.first; i < last; ++i) {
    const double distance = std::abs((static_cast<double>(i) - centre + 0.5) * (1 / reach));
    weights.push_back(std::max(0.0, 1 - distance));
    sum += weights.back();
  }
  for (const double weight : weights) {
    window.weights.push_back(static_cast<int32_t>(weight / sum * (1 << fraction_bits) + 0.5));
  }
  return window;
}

/// One window a target position. The filter reaches one source pixel to each side, or one target pixel if
/// that is more.
std::vector<Window> make_windows(int64_t source_size, int64_t target_size) {
  const double scale = static_cast<double>(source_size) / static_cast<double>(target_size);
  std::vector<Window> windows;
  for (int64_t i = 0; i < target_size; ++i) {
    windows.push_back(make_window((static_cast<double>(i) + 0.5) * scale, std::max(1.0, scale), source_size));
  }
  return windows;
}

/// `lines` lines of `source_size` points become as many of windows.size() points. A point is `width`
/// neighbouring values, each scaled on its own.
std::vector<uint8_t> scale_axis(const std::vector<uint8_t>& source, int64_t lines, int64_t source_size,
                                int64_t width, const std::vector<Window>& windows) {
  const auto target_size = static_cast<int64_t>(windows.size());
  std::vector<uint8_t> target(lines * target_size * width);
  std::vector<int32_t> sums(width);
  for (int64_t line = 0; line < lines; ++line) {
    for (int64_t i = 0; i < target_size; ++i) {
      const Window& window = windows[i];
      std::fill(sums.begin(), sums.end(), one_half);
      const uint8_t* point = source.data() + (line * source_size + window.first) * width;
      for (const int32_t weight : window.weights) {
        for (int64_t k = 0; k < width; ++k)
          sums[k] += weight * point[k];
        point += width;
      }
      uint8_t* out = target.data() + (line * target_size + i) * width;
      for (int64_t k = 0; k < width; ++k) {
        out[k] = static_cast<uint8_t>(std::min(sums[k] >> fraction_bits, int32_t{255}));
      }
    }
  }
  return target;
}

}  // namespace

RgbImage resample(const RgbImage& image, ImageSize size) {
  if (image.size == size) return image;
  // Rows: a point is a pixel. Columns: a point is a whole row.
  const std::vector<uint8_t> narrow = scale_axis(image.values, image.size.height, image.size.width, channels,
                                                 make_windows(image.size.width, size.width));
  return {.size = size,
          .values = scale_axis(narrow, 1, image.size.height, size.width * channels,
                               make_windows(image.size.height, size.height))};
}

}  // namespace faultwave
