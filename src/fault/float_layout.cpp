// SPDX-License-Identifier: Apache-2.0
#include "src/fault/float_layout.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace faultwave {
namespace {

/// Exponent of the smallest normal value; subnormals share its spacing.
int smallest_exponent(const FloatLayout& layout) {
  return 1 - layout.bias;
}

/// Code of a value that is not negative; empty if it rounds to more than the largest finite one.
std::optional<uint64_t> encode_magnitude(double magnitude, const FloatLayout& layout) {
  if (magnitude == 0.0) return 0;
  if (magnitude >= 2.0 * largest_finite(layout)) return std::nullopt;
  const int lowest = smallest_exponent(layout);
  const int exponent = std::max(std::ilogb(magnitude), lowest);
  const double steps = std::nearbyint(std::ldexp(magnitude, layout.mantissa_bits - exponent));
  // Of a normal value, `steps` holds the implicit bit, which counts as the first exponent; a carry out of
  // the mantissa moves on to the next exponent by the same addition.
  const auto exponent_part = static_cast<uint64_t>(exponent - lowest) << layout.mantissa_bits;
  const uint64_t code = exponent_part + static_cast<uint64_t>(steps);
  if (code > layout.largest) return std::nullopt;
  return code;
}

double decode_magnitude(uint64_t code, const FloatLayout& layout) {
  const uint64_t exponent_field = code >> layout.mantissa_bits;
  const uint64_t implicit_bit = uint64_t{1} << layout.mantissa_bits;
  const uint64_t fraction = code & (implicit_bit - 1);
  const int lowest = smallest_exponent(layout) - layout.mantissa_bits;
  if (exponent_field == 0) return std::ldexp(static_cast<double>(fraction), lowest);
  return std::ldexp(static_cast<double>(fraction + implicit_bit),
                    lowest + static_cast<int>(exponent_field) - 1);
}

uint64_t sign_bit_of(const FloatLayout& layout) {
  return uint64_t{1} << (layout.bits() - 1);
}

/// What stands for a value beyond the largest finite one; `sign` in place.
uint64_t overflow_word(uint64_t sign, const FloatLayout& layout) {
  if (layout.infinity) return sign | *layout.infinity;
  if (layout.nan) return sign | layout.largest;
  return sign_bit_of(layout);
}

}  // namespace

uint64_t encode_float(double value, const FloatLayout& layout) {
  const uint64_t sign_bit = sign_bit_of(layout);
  const uint64_t sign = std::signbit(value) ? sign_bit : 0;
  const uint64_t nan = layout.nan ? sign | *layout.nan : sign_bit;
  if (std::isnan(value)) return nan;
  const std::optional<uint64_t> code = encode_magnitude(std::fabs(value), layout);
  if (!code) return overflow_word(sign, layout);
  if (*code == 0 && !layout.nan) return 0;
  return sign | *code;
}

double decode_float(uint64_t word, const FloatLayout& layout) {
  const uint64_t sign_bit = sign_bit_of(layout);
  const bool negative = (word & sign_bit) != 0;
  const uint64_t code = word & (sign_bit - 1);
  double magnitude = 0.0;
  if (layout.infinity && code == *layout.infinity) {
    magnitude = std::numeric_limits<double>::infinity();
  } else if (code > layout.largest || (!layout.nan && negative && code == 0)) {
    magnitude = std::numeric_limits<double>::quiet_NaN();
  } else {
    magnitude = decode_magnitude(code, layout);
  }
  return std::copysign(magnitude, negative ? -1.0 : 1.0);
}

bool is_in_range(double value, const FloatLayout& layout) {
  return std::isfinite(value) && encode_magnitude(std::fabs(value), layout).has_value();
}

double largest_finite(const FloatLayout& layout) {
  return decode_magnitude(layout.largest, layout);
}

}  // namespace faultwave
