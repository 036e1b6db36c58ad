// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <string>
#include <type_traits>

#include "faultwave/error.h"

namespace faultwave {

/// The same values as a contiguous CPU tensor of real numbers: complex ones get a last axis (real,
/// imaginary), quantised ones become their stored integers. Copies nothing where the tensor already is one.
at::Tensor plain_values(const at::Tensor& tensor);

/// Calls `visit(values, count)` with a pointer to the values of a tensor from plain_values, in its own type.
/// ATen calls cost microseconds each, which would dominate the judging of a small output; this costs nothing.
template <typename Visitor>
auto visit_values(const at::Tensor& plain, Visitor&& visit) {
  const int64_t count = plain.numel();
  switch (plain.scalar_type()) {
#define FAULTWAVE_VISIT(type, name) \
  case at::ScalarType::name:        \
    return visit(plain.const_data_ptr<type>(), count);
    AT_FORALL_SCALAR_TYPES_AND7(Bool, Half, BFloat16, Float8_e4m3fn, Float8_e5m2, Float8_e4m3fnuz,
                                Float8_e5m2fnuz, FAULTWAVE_VISIT)
    FAULTWAVE_VISIT(uint16_t, UInt16)
    FAULTWAVE_VISIT(uint32_t, UInt32)
    FAULTWAVE_VISIT(uint64_t, UInt64)
#undef FAULTWAVE_VISIT
    default:
      throw UserError(ErrorCode::bad_input,
                      "an output of type " + std::string(c10::toString(plain.scalar_type())) +
                          " cannot be judged: expected floating-point, complex, integer or bool values");
  }
}

/// A value as a built-in number that can be compared: FP16, BF16 and FP8 widen to FP32 exactly.
template <typename Value>
auto as_number(Value value) {
  if constexpr (std::is_arithmetic_v<Value>) {
    return value;
  } else {
    return static_cast<float>(value);
  }
}

}  // namespace faultwave
