// SPDX-License-Identifier: Apache-2.0
#include "src/report/numbers.h"

#include <cinttypes>
#include <cmath>
#include <cstdio>

#include "src/common/numbers.h"

namespace faultwave {
namespace {

/// Two, and more where the interval is so narrow that two would hide it.
int decimals_of(const Interval& interval) {
  constexpr int kMost = 5;
  const double half_width = 100 * (interval.high - interval.low) / 2;
  int decimals = 2;
  for (double finest = 0.05; half_width < finest && decimals < kMost; finest /= 10)
    ++decimals;
  return decimals;
}

}  // namespace

std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  const int64_t first_digit = number < 0 ? 1 : 0;
  for (int64_t place = static_cast<int64_t>(text.size()) - 3; place > first_digit; place -= 3)
    text.insert(static_cast<size_t>(place), 1, ',');
  return text;
}

std::string percent(double proportion) {
  return format_fixed(100 * proportion, 2) + " %";
}

std::string percent(const Interval& interval) {
  const int decimals = decimals_of(interval);
  return format_fixed(100 * interval.estimate, decimals) + " % [" +
         format_fixed(100 * interval.low, decimals) + ", " + format_fixed(100 * interval.high, decimals) +
         "]";
}

std::string significant(double number) {
  constexpr double kGrouped = 999.5;
  constexpr double kMost = 1e15;
  if (std::abs(number) >= kGrouped && std::abs(number) < kMost) {
    const double unit = std::pow(10, std::floor(std::log10(std::abs(number))) - 2);
    return grouped(std::llround(std::round(number / unit) * unit));
  }
  return format_digits(number, 3);
}

std::string exact(double number) {
  return format_number(number);
}

std::string hexadecimal(uint64_t value, int64_t bits) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "0x%0*" PRIx64, static_cast<int>((bits + 3) / 4), value);
  return buffer;
}

}  // namespace faultwave
