// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/fault/float_layout.h"

namespace faultwave {

/// A number format that a floating-point victim can be put through: encoded, changed, and decoded again,
/// while the rest of the network stays in its own type.
struct Format {
  std::string name;                          ///< as in a fault line
  int bits = 0;                              ///< of one word
  std::optional<FloatLayout> floating = {};  ///< layout; empty for two's complement integers times a step
  std::optional<double> step = {};  ///< value of the lowest bit of an integer; empty: the site's scale

  bool needs_scale() const { return !floating && !step; }
};

/// Empty if there is no such format.
std::optional<Format> find_format(std::string_view name);

/// The names for messages: "int8, fp16, ...".
std::string format_choices();

/// The word nearest to `value`. Floating formats as encode_float. Integer formats: round(value / step), ties
/// to even, saturated to the range of the word (infinities too); NaN becomes 0. `scale` takes the place of a
/// missing step.
uint64_t encode(double value, const Format& format, double scale);

/// The value of a word; exact, but for the rounding of word * step to double.
double decode(uint64_t word, const Format& format, double scale);

}  // namespace faultwave
