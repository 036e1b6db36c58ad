// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace faultwave {

/// A small binary floating-point format: sign, exponent, mantissa, from the highest bit down. A code is the
/// word without its sign bit.
///
/// Sources: IEEE 754-2019 (binary16); the upper half of binary32 (bfloat16); Micikevicius et al., "FP8
/// formats for deep learning", 2022 (E4M3, E5M2; PyTorch's float8_e4m3fn and float8_e5m2); Noune et al.,
/// "8-bit numerical formats for deep neural networks", 2022 (the fnuz forms: no infinity, no negative zero).
struct FloatLayout {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  uint32_t largest;                  ///< code of the largest finite value
  std::optional<uint32_t> infinity;  ///< code; empty where the format has none
  std::optional<uint32_t> nan;  ///< code of the NaN that a conversion makes; empty in the fnuz forms, whose
                                ///< only NaN is the word that would be negative zero

  int bits() const { return 1 + exponent_bits + mantissa_bits; }
};

inline constexpr FloatLayout kFp16Layout{5, 10, 15, 0x7BFF, 0x7C00, 0x7E00};
inline constexpr FloatLayout kBf16Layout{8, 7, 127, 0x7F7F, 0x7F80, 0x7FC0};
inline constexpr FloatLayout kE4m3fnLayout{4, 3, 7, 0x7E, std::nullopt, 0x7F};
inline constexpr FloatLayout kE5m2Layout{5, 2, 15, 0x7B, 0x7C, 0x7F};
inline constexpr FloatLayout kE4m3fnuzLayout{4, 3, 8, 0x7F, std::nullopt, std::nullopt};
inline constexpr FloatLayout kE5m2fnuzLayout{5, 2, 16, 0x7F, std::nullopt, std::nullopt};

/// The word nearest to `value`, ties to even, subnormals included. Beyond the largest finite value, after
/// rounding, as PyTorch 2.13 converts: infinity; without infinity the largest value (E4M3), or NaN (the fnuz
/// forms). The sign of a NaN is kept where the format has one.
uint64_t encode_float(double value, const FloatLayout& layout);

/// The exact value of a word; bits above the word are ignored.
double decode_float(uint64_t word, const FloatLayout& layout);

/// Whether `value` is finite and encode_float does no more than round it.
bool is_in_range(double value, const FloatLayout& layout);

/// The largest finite value.
double largest_finite(const FloatLayout& layout);

}  // namespace faultwave
