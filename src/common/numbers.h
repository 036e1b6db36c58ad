// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace faultwave {

// All of these are independent of the locale, which a host program may have set: printf, std::stod,
// std::to_string of a floating-point number and streams are not, and write "0,99" where German is spoken.

/// The shortest text that parse_number turns back into the same double: "0.1", "1e+20", "-0", "inf", "-inf",
/// "nan" (every NaN).
std::string format_number(double value);

/// With so many decimals, as printf's "%.2f": "4.20".
std::string format_fixed(double value, int decimals);

/// With so many digits at most, as printf's "%.3g": "0.0123", "4.5e-07".
std::string format_digits(double value, int digits);

/// Inverse of format_number; takes any decimal notation ("1e4", "10000.0"). Empty if `text` as a whole is no
/// number or lies outside the range of a double.
std::optional<double> parse_number(std::string_view text);

/// Decimal integers without a plus sign. Empty if `text` as a whole is none, or it does not fit.
std::optional<int64_t> parse_integer(std::string_view text);
std::optional<int> parse_int(std::string_view text);
std::optional<uint64_t> parse_unsigned(std::string_view text);

/// "3,20,30"; `Integers` is anything that can be iterated.
template <typename Integers>
std::string join_integers(const Integers& integers) {
  std::string text;
  for (const auto integer : integers) {
    if (!text.empty()) text += ',';
    text += std::to_string(integer);
  }
  return text;
}

}  // namespace faultwave
