// SPDX-License-Identifier: Apache-2.0
// Every kernel of each instruction set that this processor has, against a plain loop. All numbers are small
// multiples of powers of two, so that sums and products are exact, fused or not.
#include "src/wave/kernels/kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace faultwave::wave {
namespace {

using Floats = std::vector<float>;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kUntouched = 12345;
// Less than a vector, whole vectors, and some values more.
const std::vector<int64_t> kWidths{1, 3, 7, 8, 15, 16, 17, 33, 67};

struct InstructionSet {
  std::string name;
  const Kernels* kernels;
};

std::vector<InstructionSet> instruction_sets() {
  std::vector<InstructionSet> sets{{"baseline", &baseline_kernels()}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    sets.push_back({"AVX2", &avx2_kernels()});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
    sets.push_back({"AVX-512", &avx512_kernels()});
#endif
  return sets;
}

/// check(kernels, width) for each instruction set and width.
template <typename Check>
void for_each_set_and_width(Check&& check) {
  for (const InstructionSet& set : instruction_sets()) {
    for (const int64_t width : kWidths) {
      CAPTURE(set.name);
      CAPTURE(width);
      check(*set.kernels, width);
    }
  }
}

/// Numbers of either sign, some of them 0.
Floats finite(int64_t count, int64_t seed) {
  Floats numbers;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t number = (i * 37 + seed * 53) % 199 - 99;
    numbers.push_back(i % 7 == seed % 7 ? 0.0F : static_cast<float>(number) / 16);
  }
  return numbers;
}

/// The same with NaN and infinities among them.
Floats any(int64_t count, int64_t seed) {
  Floats numbers = finite(count, seed);
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i % 11 == 5) numbers[i] = NAN;
    if (i % 13 == 6) numbers[i] = kInf;
    if (i % 17 == 7) numbers[i] = -kInf;
  }
  return numbers;
}

bool is_same(float a, float b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

void check_same(const Floats& actual, const Floats& expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    CAPTURE(i);
    CAPTURE(actual[i]);
    CAPTURE(expected[i]);
    CHECK(is_same(actual[i], expected[i]));
  }
}

bool is_any_beyond(const Floats& changes, int64_t width, float least) {
  return std::any_of(changes.begin(), changes.begin() + width,
                     [least](float change) { return std::isnan(change) || std::fabs(change) > least; });
}

/// `width` values to write and one behind them that has to stay.
Floats room(int64_t width) {
  return Floats(static_cast<size_t>(width) + 1, kUntouched);
}

const float* data_or_null(const Floats& numbers, bool is_there) {
  return is_there ? numbers.data() : nullptr;
}

TEST_CASE("the kernels in use are those of the largest instruction set") {
  CHECK(&kernels() == instruction_sets().back().kernels);
}

TEST_CASE("kernels: add") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    Floats to = any(width + 1, 1);
    const Floats from = any(width + 1, 2);
    Floats expected = to;
    for (size_t i = 0; i < static_cast<size_t>(width); ++i)
      expected[i] += from[i];
    kernels.add(to.data(), from.data(), width);
    check_same(to, expected);
  });
}

// Two taps meet one row, a row between is left alone.
const std::vector<Meeting> kMeetings{{2, 0}, {0, 3}, {2, 1}};

TEST_CASE("kernels: add_taps") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    Floats to = finite(3 * width, 1);
    const Floats from = any(4 * width, 2);
    Floats expected = to;
    for (const Meeting& meeting : kMeetings) {
      for (int64_t i = 0; i < width; ++i)
        expected[static_cast<size_t>(meeting.target * width + i)] +=
            from[static_cast<size_t>(meeting.tap * width + i)];
    }
    kernels.add_taps(to.data(), from.data(), width, kMeetings.data(), 3);
    check_same(to, expected);
  });
}

TEST_CASE("kernels: add_columns") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    for (const float factor : {-1.5F, kInf, NAN}) {
      const int64_t to_stride = width + 2;
      const int64_t stride = width + 5;
      Floats to = finite(3 * to_stride, 1);
      const Floats weight = finite(4 * stride, 2);
      Floats expected = to;
      for (const Meeting& meeting : kMeetings) {
        for (int64_t i = 0; i < width; ++i)
          expected[static_cast<size_t>(meeting.target * to_stride + i)] +=
              factor * weight[static_cast<size_t>(meeting.tap * stride + i)];
      }
      kernels.add_columns(to.data(), to_stride, weight.data(), stride, factor, width, kMeetings.data(), 3);
      check_same(to, expected);
    }
  });
}

TEST_CASE("kernels: add_products") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    Floats to = finite(3 * width, 1);
    const Floats from = any(width, 2);
    const Floats weight = finite(4 * width, 3);
    Floats expected = to;
    for (const Meeting& meeting : kMeetings) {
      for (int64_t i = 0; i < width; ++i)
        expected[static_cast<size_t>(meeting.target * width + i)] +=
            from[static_cast<size_t>(i)] * weight[static_cast<size_t>(meeting.tap * width + i)];
    }
    kernels.add_products(to.data(), from.data(), weight.data(), width, kMeetings.data(), 3);
    check_same(to, expected);
  });
}

float clamped(float value, float low, float high) {
  return std::isnan(value) ? value : std::min(std::max(value, low), high);
}

TEST_CASE("kernels: clamp_changes") {
  struct Case {
    Floats (*changes)(int64_t, int64_t);
    bool scaled;
    float low;
    float high;
    float least;
  };
  const std::vector<Case> cases{{any, false, 0, kInf, 0},   {any, true, 0, 6, 0},
                                {finite, true, -1, 1, 2},   {finite, false, 0, kInf, 100},
                                {finite, true, 0, kInf, 1}, {any, false, -kInf, kInf, 3}};
  for_each_set_and_width([&](const Kernels& kernels, int64_t width) {
    for (const Case& one : cases) {
      const Floats changes = one.changes(width, 1);
      const Floats golden = finite(width, 2);
      const Floats scale = finite(width, 3);
      Floats expected = room(width);
      for (size_t i = 0; i < static_cast<size_t>(width); ++i) {
        const float change = one.scaled ? changes[i] * scale[i] : changes[i];
        expected[i] = clamped(golden[i] + change, one.low, one.high) - clamped(golden[i], one.low, one.high);
      }
      Floats to = room(width);
      const bool beyond =
          kernels.clamp_changes(to.data(), changes.data(), golden.data(), data_or_null(scale, one.scaled),
                                width, one.low, one.high, one.least);
      check_same(to, expected);
      CHECK(beyond == is_any_beyond(expected, width, one.least));
    }
  });
}

TEST_CASE("kernels: to_values and to_changes") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    for (const bool scaled : {false, true}) {
      const Floats changes = any(width, 1);
      const Floats golden = finite(width, 2);
      const Floats scale = finite(width, 3);
      Floats expected = room(width);
      for (size_t i = 0; i < static_cast<size_t>(width); ++i)
        expected[i] = golden[i] + (scaled ? changes[i] * scale[i] : changes[i]);
      Floats values = room(width);
      kernels.to_values(values.data(), changes.data(), golden.data(), data_or_null(scale, scaled), width);
      check_same(values, expected);

      for (size_t i = 0; i < static_cast<size_t>(width); ++i)
        expected[i] = values[i] - golden[i];
      const bool beyond = kernels.to_changes(values.data(), golden.data(), width, 5);
      check_same(values, expected);
      CHECK(beyond == is_any_beyond(expected, width, 5));
    }
  });
}

TEST_CASE("kernels: keep_golden") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    for (const bool has_before : {false, true}) {
      for (const float least : {0.0F, 5.0F, 1000.0F}) {
        const Floats golden = finite(width, 2);
        const Floats before = finite(width, 3);
        Floats values = least > 5 ? finite(width + 1, 1) : any(width + 1, 1);
        Floats expected = values;
        Floats changes;
        for (size_t i = 0; i < static_cast<size_t>(width); ++i) {
          if (has_before && before[i] == 0) expected[i] = golden[i];
          changes.push_back(expected[i] - golden[i]);
        }
        const bool beyond =
            kernels.keep_golden(values.data(), data_or_null(before, has_before), golden.data(), width, least);
        check_same(values, expected);
        CHECK(beyond == is_any_beyond(changes, width, least));
      }
    }
  });
}

TEST_CASE("kernels: sum of rows, with scales or without, and of one row alone") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    const Floats a = any(width, 1);
    const Floats b = any(width, 2);
    const Floats a_scale = finite(width, 3);
    const Floats b_scale = finite(width, 4);
    const float factor = -2;
    for (int which = 0; which < 16; ++which) {
      const bool has_a = (which & 1) != 0;
      const bool has_b = (which & 2) != 0;
      const bool scales_a = (which & 4) != 0;
      const bool scales_b = (which & 8) != 0;
      if (!has_a && !has_b) continue;
      Floats expected = room(width);
      for (size_t i = 0; i < static_cast<size_t>(width); ++i) {
        const float first = scales_a ? a[i] * a_scale[i] : a[i];
        const float second = factor * (scales_b ? b[i] * b_scale[i] : b[i]);
        expected[i] = has_a && has_b ? first + second : (has_a ? first : second);
      }
      Floats to = room(width);
      kernels.sum(to.data(), {data_or_null(a, has_a), data_or_null(a_scale, scales_a)},
                  {data_or_null(b, has_b), data_or_null(b_scale, scales_b)}, factor, width);
      check_same(to, expected);
    }
  });
}

TEST_CASE("kernels: take_largest keeps NaN of either side") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    Floats to = any(width + 1, 1);
    std::reverse(to.begin(), to.end());
    const Floats from = any(width + 1, 2);
    Floats expected = to;
    for (size_t i = 0; i < static_cast<size_t>(width); ++i) {
      const bool is_nan = std::isnan(to[i]) || std::isnan(from[i]);
      expected[i] = is_nan ? NAN : std::max(to[i], from[i]);
    }
    kernels.take_largest(to.data(), from.data(), width);
    check_same(to, expected);
  });
}

TEST_CASE("kernels: multiply_tile") {
  for (const InstructionSet& set : instruction_sets()) {
    CAPTURE(set.name);
    const std::vector<int32_t> picks{4, 0, 3};
    const Floats left = finite(kTileRows * 3, 1);
    const Floats right = finite(kTileColumns * 5, 2);
    const int64_t stride = kTileColumns + 3;
    Floats to = finite(kTileRows * stride, 3);
    Floats expected = to;
    for (int64_t row = 0; row < kTileRows; ++row) {
      for (int64_t column = 0; column < kTileColumns; ++column) {
        for (size_t step = 0; step < picks.size(); ++step)
          expected[static_cast<size_t>(row * stride + column)] +=
              left[step * kTileRows + static_cast<size_t>(row)] *
              right[static_cast<size_t>(picks[step] * kTileColumns + column)];
      }
    }
    set.kernels->multiply_tile(to.data(), stride, left.data(), right.data(), picks.data(), 3);
    check_same(to, expected);
    Floats untouched = expected;
    set.kernels->multiply_tile(to.data(), stride, left.data(), right.data(), picks.data(), 0);
    check_same(to, untouched);
  }
}

/// The sums of a tile, one by one.
Floats sums_of(const ConvolutionTile& tile) {
  Floats sums;
  for (int64_t i = 0; i < tile.pixels * kLanes; ++i) {
    float sum = 0;
    for (int64_t y = 0; y < tile.taps_y; ++y) {
      for (int64_t step = 0; step < tile.taps_x * tile.depth; ++step) {
        const float* from = tile.from + i / kLanes * tile.from_pixel + y * tile.from_y +
                            step / tile.depth * tile.from_x +
                            step % tile.depth * (tile.is_by_lane ? kLanes : 1);
        sum += from[tile.is_by_lane ? i % kLanes : 0] *
               tile.weight[y * tile.weight_y + step * kLanes + i % kLanes];
      }
    }
    sums.push_back(sum);
  }
  return sums;
}

TEST_CASE("kernels: convolve_tile") {
  const Floats from = finite(6000, 1);
  const Floats weight = finite(2000, 2);
  for (const InstructionSet& set : instruction_sets()) {
    CAPTURE(set.name);
    for (int64_t pixels = 1; pixels <= kTilePixels; ++pixels) {
      CAPTURE(pixels);
      for (const bool is_by_lane : {false, true}) {
        for (const int64_t depth : {1, 3}) {
          const int64_t cell = depth * (is_by_lane ? kLanes : 1) + 3;
          const ConvolutionTile tile{.from = from.data(),
                                     .weight = weight.data(),
                                     .is_by_lane = is_by_lane,
                                     .depth = depth,
                                     .pixels = pixels,
                                     .from_pixel = 2 * cell,
                                     .taps_y = 2,
                                     .taps_x = 3,
                                     .from_y = 21 * cell,
                                     .from_x = cell,
                                     .weight_y = 5 * depth * kLanes};
          Floats to = room(pixels * kLanes);
          set.kernels->convolve_tile(to.data(), tile);
          Floats expected = sums_of(tile);
          expected.push_back(kUntouched);
          check_same(to, expected);
        }
      }
    }
  }
}

TEST_CASE("kernels: copy tells whether there is anything") {
  for_each_set_and_width([](const Kernels& kernels, int64_t width) {
    for (const float last : {0.0F, -0.0F, 0.5F, kInf, static_cast<float>(NAN)}) {
      Floats from(static_cast<size_t>(width), 0.0F);
      from.back() = last;
      Floats to = room(width);
      CHECK(kernels.copy(to.data(), from.data(), width) == !(last == 0));
      from.push_back(kUntouched);
      check_same(to, from);
    }
  });
}

TEST_CASE("kernels: spread gives each lane the values of its run") {
  const std::vector<std::vector<int32_t>> kinds{{0}, {0, 8}, {0, 3, 6, 9, 12, 15}, {0, 1, 2, 15}};
  for (const InstructionSet& set : instruction_sets()) {
    CAPTURE(set.name);
    for (const std::vector<int32_t>& starts : kinds) {
      const int64_t depth = 5;
      const auto runs = static_cast<int64_t>(starts.size());
      const Floats from = any(runs * depth, 1);
      Floats to(static_cast<size_t>((depth + 1) * kLanes), 0.0F);
      CHECK(set.kernels->spread(to.data(), from.data(), starts.data(), runs, depth));
      Floats expected;
      for (int64_t i = 0; i < depth * kLanes; ++i) {
        const auto run = std::upper_bound(starts.begin(), starts.end(), i % kLanes) - starts.begin() - 1;
        expected.push_back(from[static_cast<size_t>(run * depth + i / kLanes)]);
      }
      to.resize(expected.size());
      check_same(to, expected);
      const Floats zeros(from.size(), -0.0F);
      CHECK_FALSE(set.kernels->spread(to.data(), zeros.data(), starts.data(), runs, depth - 1));
    }
  }
}

}  // namespace
}  // namespace faultwave::wave
