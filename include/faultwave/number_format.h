// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#pragma GCC visibility push(default)
namespace faultwave {

/// A number format that a floating-point value goes through where one of its bits flips, while the rest of
/// the network stays in its own type: `flip(int8:7)`, `flip(mine.int4:3)`.
struct NumberFormat {
  std::string name;
  int bits = 0;              ///< of one word, 1 to 64
  bool needs_scale = false;  ///< whether words depend on the site's scale, VictimContext::int8_scale
  /// The word of a value, which may be NaN or infinite. `scale` is above 0 and finite; it means nothing where
  /// none is needed. A function of its arguments alone, as decode is.
  std::function<uint64_t(double value, double scale)> encode{};
  /// The value of a word, whichever it is; bits above the word are 0.
  std::function<double(uint64_t word, double scale)> decode{};
};

}  // namespace faultwave
#pragma GCC visibility pop
