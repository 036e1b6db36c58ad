// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "faultwave/fault.h"
#include "faultwave/random.h"

namespace faultwave {

// A fault's choices (which elements, which bit) and its values (random, noise) come from two streams of its
// key. So a line whose choices have been filled in draws the same values as the line that it came from.

/// For resolve(location, ...), then ErrorModel::resolve. `element` is the batch element for `@each`, else 0.
inline Draw choice_draw(const Fault& fault, uint64_t element = 0) {
  constexpr uint64_t choices = uint64_t{1} << 63;  // no batch is that large
  return Draw(fault.key.value_or(0), choices | element);
}

/// For ErrorModel::apply of a resolved model; a fresh one for each forward. `element` as for choice_draw.
inline Draw value_draw(const Fault& fault, uint64_t element = 0) {
  return Draw(fault.key.value_or(0), element);
}

}  // namespace faultwave
