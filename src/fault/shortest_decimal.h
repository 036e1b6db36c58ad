// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/ScalarType.h>

namespace faultwave {

/// The number to print for a value of type `dtype`: of those that read back as the same value of that type,
/// the one with the shortest decimal text, and of equally short ones the nearest. FP32's 0.100000001490116...
/// gives 0.1, FP16's 65504 itself. Integers, FP64, NaN and infinity stay as they are.
double shortest_decimal(double value, at::ScalarType dtype);

}  // namespace faultwave
