// SPDX-License-Identifier: Apache-2.0
#include "src/fault/shortest_decimal.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "src/common/numbers.h"
#include "src/fault/bits.h"

namespace faultwave {
namespace {

double read(const char* begin, const char* end) {
  return *parse_number(std::string_view(begin, static_cast<size_t>(end - begin)));
}

double shortest_of_fp32(float value) {
  char buffer[32];
  return read(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

/// By trial, for the types that the standard library cannot print.
double shortest_of_small(double value, at::ScalarType dtype) {
  constexpr int most_digits = 5;  // of FP16, which has the longest mantissa
  const uint64_t bits = from_double(value, dtype);
  for (int digits = 1; digits <= most_digits; ++digits) {
    char buffer[32];
    const auto text =
        std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific, digits - 1);
    const double rounded = read(buffer, text.ptr);
    if (from_double(rounded, dtype) != bits) continue;
    const bool is_shorter = format_number(rounded).size() < format_number(value).size();
    return is_shorter ? rounded : value;
  }
  return value;
}

}  // namespace

double shortest_decimal(double value, at::ScalarType dtype) {
  if (!is_supported(dtype) || !is_floating(dtype) || dtype == at::kDouble || !std::isfinite(value))
    return value;
  if (dtype == at::kFloat) return shortest_of_fp32(static_cast<float>(value));
  return shortest_of_small(value, dtype);
}

}  // namespace faultwave
