// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/convolution_costs.h"

#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <locale>
#include <optional>
#include <sstream>
#include <string>

#include "src/common/cache_file.h"
#include "src/common/numbers.h"
#include "src/common/parallel_for.h"
#include "src/wave/kernels/kernels.h"
#include "src/wave/rules/product.h"

namespace faultwave::wave {
namespace {

constexpr int kTries = 3;
constexpr int64_t kChannels = 128;
constexpr int64_t kTaps = 9;
constexpr int64_t kMaps = 16;
constexpr int64_t kSide = 14;

/// The best of a few, which other work on the machine disturbs least.
double seconds_of(const std::function<void()>& work) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

ConvolutionCosts measure() {
  constexpr int64_t rows = kMaps * kSide * kSide;
  constexpr auto multiply_adds = static_cast<double>(rows * kTaps * kChannels * kChannels);
  const at::Tensor values = at::ones({rows, kTaps * kChannels}, at::kFloat);
  const at::Tensor matrix = at::ones({kChannels, kTaps * kChannels}, at::kFloat);
  const at::Tensor maps = at::ones({kMaps, kSide, kSide, kChannels}, at::kFloat).permute({0, 3, 1, 2});
  const at::Tensor weight =
      at::ones({kChannels, kChannels, 3, 3}, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor sums = at::zeros({rows, kTaps * kChannels}, at::kFloat);
  float* to = sums.mutable_data_ptr<float>();
  const float* from = values.const_data_ptr<float>();

  ConvolutionCosts costs;
  costs.product = seconds_of([&] { product(values, matrix); }) / multiply_adds;
  costs.dense = seconds_of([&] { at::conv2d(maps, weight, {}, 1, 1); }) / multiply_adds;
  const double seconds = seconds_of([&] {
    parallel_for(0, rows * kTaps, 64, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        kernels().add(to + row * kChannels, from + row * kChannels, kChannels);
    });
  });
  costs.moved = seconds / static_cast<double>(rows * kTaps * kChannels);
  return costs;
}

/// Those of two cores of a server, 2026.
constexpr ConvolutionCosts kTypical{.product = 9e-12, .dense = 9e-12, .moved = 1e-10};

std::optional<ConvolutionCosts> parse(const std::string& text) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  ConvolutionCosts costs;
  in >> costs.product >> costs.dense >> costs.moved;
  const bool is_sound = in && costs.product > 0 && costs.dense > 0 && costs.moved > 0;
  return is_sound ? std::make_optional(costs) : std::nullopt;
}

ConvolutionCosts kept_or_typical() {
  const std::optional<std::string> text =
      cached_text("convolution_costs", [] { return text_of(measure()) + "\n"; });
  return (text ? parse(*text) : std::nullopt).value_or(kTypical);
}

}  // namespace

std::string text_of(const ConvolutionCosts& costs) {
  return format_number(costs.product) + " " + format_number(costs.dense) + " " + format_number(costs.moved);
}

const ConvolutionCosts& convolution_costs() {
  static const ConvolutionCosts costs = kept_or_typical();
  return costs;
}

}  // namespace faultwave::wave
