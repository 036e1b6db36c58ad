// SPDX-License-Identifier: Apache-2.0
#include "src/report/numbers.h"

#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace faultwave {
namespace {

std::string two_decimals(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.2f", value);
  return buffer;
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
  return two_decimals(100 * proportion) + " %";
}

std::string percent(const Interval& interval) {
  return percent(interval.estimate) + " [" + two_decimals(100 * interval.low) + ", " +
         two_decimals(100 * interval.high) + "]";
}

std::string exact(double number) {
  if (std::isnan(number)) return "nan";
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
}

std::string hexadecimal(uint64_t value, int64_t bits) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "0x%0*" PRIx64, static_cast<int>((bits + 3) / 4), value);
  return buffer;
}

}  // namespace faultwave
