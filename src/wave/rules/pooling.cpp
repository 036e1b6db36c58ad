// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <torch/types.h>

#include <cmath>
#include <limits>
#include <utility>

#include "src/wave/rule.h"
#include "src/wave/rules/window.h"

namespace faultwave::wave {
namespace {

bool is_map(const at::Tensor& tensor) {
  return tensor.dim() == 4 && tensor.size(0) == 1;
}

/// NaN wins, as in the operator.
void take_largest(float* to, const float* from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (from[i] > to[i] || std::isnan(from[i])) to[i] = from[i];
  }
}

}  // namespace

// max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode): the windows that read a dirty pixel
// are looked through again.
std::optional<std::vector<Shadow>> max_pool_rule(const Call& call) {
  const at::Tensor golden = call.tensor(0);
  const at::Tensor result = call.result();
  if (!call.is_only_shadowed(0) || !is_map(golden)) return std::nullopt;
  const std::vector<int64_t> kernel = call.arguments[1].toIntVector();
  std::vector<int64_t> stride = call.arguments[2].toIntVector();
  if (stride.empty()) stride = kernel;
  const Windows windows = Windows::over(golden, result, kernel, stride, call.arguments[3].toIntVector(),
                                        call.arguments[4].toIntVector());
  const Shadow rows = to_rows(*call.shadow_of(0), golden, 1);
  const std::vector<Segment> parts = segments(rows);
  const int64_t channels = golden.size(1);
  const int64_t pixels = windows.y.in * windows.x.in;
  TargetRows targets(rows, parts, windows, channels);
  targets.shadow.values.fill_(-std::numeric_limits<float>::infinity());

  const at::Tensor golden_rows = rows_of(golden, 1);
  const float* before = golden_rows.const_data_ptr<float>();
  const float* values = rows.values.const_data_ptr<float>();
  float* out = targets.shadow.values.mutable_data_ptr<float>();
  at::parallel_for(0, static_cast<int64_t>(parts.size()), 1, [&](int64_t first, int64_t last) {
    std::vector<const float*> pixel_at(static_cast<size_t>(pixels));
    for (int64_t part = first; part < last; ++part) {
      for (int64_t pixel = 0; pixel < pixels; ++pixel)
        pixel_at[static_cast<size_t>(pixel)] = before + pixel * channels;
      const Segment& segment = parts[static_cast<size_t>(part)];
      for (int64_t entry = segment.begin; entry < segment.end; ++entry)
        pixel_at[static_cast<size_t>(rows.places[static_cast<size_t>(entry)])] = values + entry * channels;
      const auto at = static_cast<size_t>(part);
      for (int64_t row = targets.begin(at); row < targets.end(at); ++row) {
        windows.for_each_source(targets.shadow.places[static_cast<size_t>(row)], [&](int64_t pixel) {
          take_largest(out + row * channels, pixel_at[static_cast<size_t>(pixel)], channels);
        });
      }
    }
  });
  drop_golden(targets.shadow, result);
  return std::vector<Shadow>{std::move(targets.shadow)};
}

// adaptive_avg_pool2d(input, output_size), to one pixel or to the size that the map has: the mean moves by
// the mean of the differences.
std::optional<std::vector<Shadow>> average_rule(const Call& call) {
  const at::Tensor golden = call.tensor(0);
  const at::Tensor result = call.result();
  if (!call.is_only_shadowed(0) || !is_map(golden)) return std::nullopt;
  if (result.sizes() == golden.sizes() && at::equal(result, golden))
    return std::vector<Shadow>{*call.shadow_of(0)};
  if (result.size(2) != 1 || result.size(3) != 1) return std::nullopt;

  const Shadow rows = to_rows(*call.shadow_of(0), golden, 1);
  const std::vector<Segment> parts = segments(rows);
  const at::Tensor golden_rows = rows_of(golden, 1);
  const auto pixels = static_cast<double>(golden.size(2) * golden.size(3));
  const int64_t channels = golden.size(1);
  const float* before = golden_rows.const_data_ptr<float>();
  const float* values = rows.values.const_data_ptr<float>();
  Shadow out;
  out.axis = 1;
  out.values = result.reshape({1, channels}).repeat({static_cast<int64_t>(parts.size()), 1});
  float* to = out.values.mutable_data_ptr<float>();
  std::vector<double> sum(static_cast<size_t>(channels));
  for (const Segment& part : parts) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (int64_t entry = part.begin; entry < part.end; ++entry) {
      const float* golden_row = before + rows.places[static_cast<size_t>(entry)] * channels;
      for (int64_t c = 0; c < channels; ++c)
        sum[static_cast<size_t>(c)] += static_cast<double>(values[entry * channels + c]) - golden_row[c];
    }
    for (int64_t c = 0; c < channels; ++c) {
      float& mean = to[out.size() * channels + c];
      // The operator adds before it divides, and overflows where the sum does.
      const double total = sum[static_cast<size_t>(c)] + mean * pixels;
      const bool overflows = std::abs(total) > std::numeric_limits<float>::max();
      mean = overflows ? std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(total))
                       : static_cast<float>(mean + sum[static_cast<size_t>(c)] / pixels);
    }
    out.trials.push_back(part.trial);
    out.places.push_back(0);
  }
  drop_golden(out, result);
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace faultwave::wave
