// SPDX-License-Identifier: Apache-2.0
#include "src/sample/neuron_groups.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace faultwave {
namespace {

constexpr int kLevels = 8;

/// In this order in databases.
enum ValueClass : uint8_t {
  kZero,
  kUnderOne,  // 0 < value < 1
  kUnderTwo,  // 1 <= value < 2
  kLarge,     // 2 <= value, or NaN
  kNegative,  // positive ones mirrored
  kNegativeUnderTwo,
  kNegativeLarge,
};

template <typename... Classes>
constexpr NeuronClasses::Set set_of(Classes... classes) {
  return static_cast<NeuronClasses::Set>(((1U << classes) | ...));
}

uint8_t class_of(float value) {
  const float magnitude = std::abs(value);
  if (magnitude == 0) return kZero;
  const bool is_negative = value < 0;
  if (magnitude < 1) return is_negative ? kNegative : kUnderOne;
  if (magnitude < 2) return is_negative ? kNegativeUnderTwo : kUnderTwo;
  return is_negative ? kNegativeLarge : kLarge;
}

}  // namespace

const std::vector<NeuronGroup>& neuron_groups(BitKind kind) {
  static const std::vector<NeuronGroup> all = {{}};
  static const std::vector<NeuronGroup> by_sign = {
      {"value >= 0", set_of(kZero, kUnderOne, kUnderTwo, kLarge)},
      {"value < 0", set_of(kNegative, kNegativeUnderTwo, kNegativeLarge)},
  };
  static const std::vector<NeuronGroup> by_size = {
      {"0 <= value < 2", set_of(kZero, kUnderOne, kUnderTwo)},
      {"value >= 2", set_of(kLarge)},
      {"-2 < value < 0", set_of(kNegative, kNegativeUnderTwo)},
      {"value <= -2", set_of(kNegativeLarge)},
  };
  static const std::vector<NeuronGroup> each = {
      {"value = 0", set_of(kZero)},
      {"0 < value < 1", set_of(kUnderOne)},
      {"1 <= value < 2", set_of(kUnderTwo)},
      {"value >= 2", set_of(kLarge)},
      {"-1 < value < 0", set_of(kNegative)},
      {"-2 < value <= -1", set_of(kNegativeUnderTwo)},
      {"value <= -2", set_of(kNegativeLarge)},
  };
  switch (kind) {
    case BitKind::other:
    case BitKind::sign:
      return by_sign;
    case BitKind::exponent:
      return by_size;
    case BitKind::top_exponent:
      return each;
    case BitKind::low:
      break;
  }
  return all;
}

bool depends_on_level(BitKind kind) {
  return kind == BitKind::exponent || kind == BitKind::sign || kind == BitKind::other;
}

std::vector<uint8_t> value_classes(const at::Tensor& values) {
  at::Tensor flat = values.detach();
  if (flat.is_quantized()) flat = flat.int_repr();
  flat = flat.to(at::kCPU, at::kFloat).contiguous();
  const float* value = flat.const_data_ptr<float>();
  std::vector<uint8_t> classes(static_cast<size_t>(flat.numel()));
  for (uint8_t& number : classes)
    number = class_of(*value++);
  return classes;
}

std::vector<int> margin_levels(const std::vector<double>& margins) {
  std::vector<size_t> order(margins.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return margins[a] > margins[b]; });
  std::vector<int> levels(margins.size());
  size_t left = margins.size();
  int level = 0;
  size_t in_level = 0;
  const bool one_each = margins.size() <= kLevels;
  for (const size_t position : order) {
    const size_t most = one_each ? 1 : (left + in_level + 1) / 2;
    if (in_level == most && level + 1 < kLevels) {
      ++level;
      in_level = 0;
    }
    levels[position] = level;
    ++in_level;
    --left;
  }
  return levels;
}

}  // namespace faultwave
