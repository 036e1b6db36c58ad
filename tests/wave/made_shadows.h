// SPDX-License-Identifier: Apache-2.0
// Shadows made by hand, and calls of one operator for a rule by itself.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "src/wave/rule.h"

namespace faultwave::wave {

/// Points, or rows where `axis` is one.
inline Shadow made_shadow(int64_t axis, Indices trials, Indices places, const at::Tensor& values,
                          bool is_change, at::ScalarType type = at::kFloat) {
  Shadow shadow(Form{.type = type, .axis = axis, .is_change = is_change});
  shadow.trials = std::move(trials);
  shadow.places = std::move(places);
  shadow.values = values.contiguous();
  return shadow;
}

inline c10::OperatorHandle operator_called(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
}

/// A call of one result whose first argument has a shadow. `op` has to live as long.
inline Call call_of(const c10::OperatorHandle& op, std::vector<c10::IValue> arguments,
                    const at::Tensor& result, const Shadow& shadow) {
  return Call{.op = op,
              .arguments = std::move(arguments),
              .results = {result},
              .shadowed = {{{0, -1}, shadow}},
              .leave = {}};
}

/// The whole tensor as a trial has it.
inline at::Tensor tensor_of_trial(const Shadow& shadow, int32_t trial, const at::Tensor& golden) {
  return materialise(shadow, segment_of(shadow, trial), golden);
}

/// Small whole numbers of either sign, whose sums and products are exact in any order.
inline at::Tensor whole_numbers(c10::IntArrayRef shape, int64_t seed) {
  int64_t count = 1;
  for (const int64_t size : shape)
    count *= size;
  const at::Tensor numbers = at::arange(count, at::kLong);
  return ((numbers * numbers + numbers * (2 * seed + 1)).remainder(11) - 5).to(at::kFloat).view(shape);
}

}  // namespace faultwave::wave
