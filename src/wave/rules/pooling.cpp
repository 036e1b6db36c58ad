// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/for_parts.h"
#include "src/wave/kernels/kernels.h"
#include "src/wave/rule.h"
#include "src/wave/rules/row_pass.h"
#include "src/wave/rules/window.h"

namespace faultwave::wave {
namespace {

bool is_map(const at::Tensor& tensor) {
  return tensor.dim() == 4;
}

/// Largest values of the windows that read a dirty pixel.
class MaxPool {
 public:
  MaxPool(const Call& call, const Windows& windows)
      : windows_(windows),
        rows_(as_values(to_rows(*call.shadow_of(0), call.tensor(0), 1), call.tensor(0))),
        golden_in_(rows_of(call.tensor(0), 1)),
        golden_out_(rows_of(call.result(), 1)),
        channels_(call.tensor(0).size(1)),
        as_change_(call.shadow_of(0)->form.is_change && is_finite(call.result())) {}

  Shadow run() const {
    const std::vector<Segment> parts = segments_by_map(rows_, windows_.sources());
    TargetRows targets(rows_, parts, windows_, windows_.dirty_targets(rows_, parts),
                       Form::values_of(golden_out_, 1), channels_);
    std::vector<char> keep(targets.shadow.trials.size());
    for_parts(parts, [&](size_t first, size_t last) {
      EntryOfPixel entry_of(windows_.sources());
      for (size_t part = first; part < last; ++part) {
        entry_of.number(rows_, parts[part].begin, parts[part].end);
        for (int64_t row = targets.begin(part); row < targets.end(part); ++row)
          keep[static_cast<size_t>(row)] = pool(row, entry_of, targets.shadow);
      }
    });
    if (as_change_) targets.shadow.form = targets.shadow.form.as_changes();
    keep_entries(targets.shadow, keep);
    return std::move(targets.shadow);
  }

 private:
  /// Whether the row differs.
  bool pool(int64_t row, const EntryOfPixel& entry_of, Shadow& shadow) const {
    const int64_t place = shadow.places[static_cast<size_t>(row)];
    const float* values = rows_.values.const_data_ptr<float>();
    const float* before =
        golden_in_.const_data_ptr<float>() + place / windows_.targets() * windows_.sources() * channels_;
    float* out = shadow.values.mutable_data_ptr<float>() + row * channels_;
    std::fill_n(out, channels_, -std::numeric_limits<float>::infinity());
    windows_.for_each_source(place % windows_.targets(), [&](int64_t pixel, int64_t) {
      const int64_t entry = entry_of[pixel];
      kernels().take_largest(out, entry < 0 ? before + pixel * channels_ : values + entry * channels_,
                             channels_);
    });
    const float* after = golden_out_.const_data_ptr<float>() + place * channels_;
    if (as_change_) return kernels().to_changes(out, after, channels_, 0);
    return std::memcmp(out, after, static_cast<size_t>(channels_) * sizeof(float)) != 0;
  }

  Windows windows_;
  Shadow rows_;
  at::Tensor golden_in_;
  at::Tensor golden_out_;
  int64_t channels_;
  bool as_change_;
};

/// The mean moves by the mean of the changes; the operator adds before it divides, and overflows where the
/// sum does.
float moved_mean(float mean, double change, double pixels) {
  const double total = change + mean * pixels;
  if (std::abs(total) > std::numeric_limits<float>::max())
    return std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(total));
  return static_cast<float>(mean + change / pixels);
}

}  // namespace

// max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode): the windows that read a dirty pixel
// are looked through again.
std::optional<std::vector<Shadow>> max_pool_rule(const Call& call) {
  if (!call.is_only_shadowed(0) || !is_map(call.tensor(0))) return std::nullopt;
  const std::vector<int64_t> kernel = call.argument("kernel_size").toIntVector();
  std::vector<int64_t> stride = call.argument("stride").toIntVector();
  if (stride.empty()) stride = kernel;
  const Windows windows =
      Windows::over(call.tensor(0), call.result(), kernel, stride, call.argument("padding").toIntVector(),
                    call.argument("dilation").toIntVector());
  return std::vector<Shadow>{MaxPool(call, windows).run()};
}

// adaptive_avg_pool2d(input, output_size), to one pixel or to the size that the map has.
std::optional<std::vector<Shadow>> average_rule(const Call& call) {
  const at::Tensor golden = call.tensor(0);
  const at::Tensor result = call.result();
  if (!call.is_only_shadowed(0) || !is_map(golden)) return std::nullopt;
  if (result.sizes() == golden.sizes() && at::equal(result, golden))
    return std::vector<Shadow>{*call.shadow_of(0)};
  if (result.size(2) != 1 || result.size(3) != 1) return std::nullopt;

  const Shadow rows = as_changes(to_rows(*call.shadow_of(0), golden, 1), golden);
  const int64_t pixels = golden.size(2) * golden.size(3);
  const std::vector<Segment> parts = segments_by_map(rows, pixels);
  const int64_t channels = golden.size(1);
  const float* changes = rows.values.const_data_ptr<float>();
  Shadow out(Form::values_of(result, 1));
  for (const Segment& part : parts) {
    out.trials.push_back(part.trial);
    out.places.push_back(static_cast<int32_t>(rows.places[static_cast<size_t>(part.begin)] / pixels));
  }
  out.values = golden_at(out, result);
  float* to = out.values.mutable_data_ptr<float>();
  parallel_for(0, out.size(), 4, [&](int64_t first, int64_t last) {
    std::vector<double> sum(static_cast<size_t>(channels));
    for (int64_t i = first; i < last; ++i) {
      std::fill(sum.begin(), sum.end(), 0.0);
      for (int64_t entry = parts[static_cast<size_t>(i)].begin; entry < parts[static_cast<size_t>(i)].end;
           ++entry) {
        for (int64_t c = 0; c < channels; ++c)
          sum[static_cast<size_t>(c)] += changes[entry * channels + c];
      }
      for (int64_t c = 0; c < channels; ++c) {
        float& mean = to[i * channels + c];
        mean = moved_mean(mean, sum[static_cast<size_t>(c)], static_cast<double>(pixels));
      }
    }
  });
  drop_golden(out, result);
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace faultwave::wave
