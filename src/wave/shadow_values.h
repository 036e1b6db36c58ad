// SPDX-License-Identifier: Apache-2.0
// Arithmetic of values and their changes, for each type that shadows are made of. Code that is the same for
// all of them is a template over the values' type.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace faultwave::wave {

/// What changes of values are stored as.
template <typename Value>
using ChangeOf = std::conditional_t<std::is_same_v<Value, float>, float, int32_t>;

template <typename Value>
bool is_same_value(const Value* a, const Value* b, int64_t count) {
  return std::memcmp(a, b, static_cast<size_t>(count) * sizeof(Value)) == 0;
}

/// 0 where the bits are the same. Integers: modulo 2^32.
template <typename Value>
ChangeOf<Value> change_between(Value before, Value after) {
  if constexpr (std::is_same_v<Value, float>) {
    return is_same_value(&before, &after, 1) ? 0.0F : after - before;
  } else {
    return static_cast<int32_t>(static_cast<uint32_t>(after) - static_cast<uint32_t>(before));
  }
}

/// The value itself where the change is 0: -0 stays -0. Integers: modulo their size.
template <typename Value>
Value changed(Value before, ChangeOf<Value> change) {
  if constexpr (std::is_same_v<Value, float>) {
    return change == 0 ? before : before + change;
  } else {
    return static_cast<Value>(static_cast<uint32_t>(before) + static_cast<uint32_t>(change));
  }
}

/// A change, times the factor of its channel where it waits for one.
template <typename Change>
Change scaled(Change change, const float* scale, int64_t channel) {
  if constexpr (std::is_same_v<Change, float>) {
    return scale == nullptr ? change : change * scale[channel];
  } else {
    return change;  // integers wait for none
  }
}

}  // namespace faultwave::wave
