// SPDX-License-Identifier: Apache-2.0
#include "src/common/numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace faultwave {
namespace {

template <typename Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string format_number(double value) {
  if (std::isnan(value)) return "nan";
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, result.ptr);
}

std::string format_fixed(double value, int decimals) {
  char buffer[400];  // the largest number has 309 digits before its point
  const auto result =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed, std::min(decimals, 60));
  return std::string(buffer, result.ptr);
}

std::string format_digits(double value, int digits) {
  char buffer[100];
  const auto result =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::general, std::min(digits, 60));
  return std::string(buffer, result.ptr);
}

std::optional<double> parse_number(std::string_view text) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (text == "inf") return infinity;
  if (text == "-inf") return -infinity;
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  // from_chars knows further spellings of these three ("INFINITY", "nan(1)"); there shall be one of each.
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  return parse_whole<double>(text);
}

std::optional<int64_t> parse_integer(std::string_view text) {
  return parse_whole<int64_t>(text);
}

std::optional<int> parse_int(std::string_view text) {
  return parse_whole<int>(text);
}

std::optional<uint64_t> parse_unsigned(std::string_view text) {
  return parse_whole<uint64_t>(text);
}

}  // namespace faultwave
