// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "src/wave/shadow.h"

namespace faultwave::wave {

/// Where a value of a result comes from if not from the tensor that is looked at.
constexpr double kFromNowhere = -1;

/// The row-major offset of each value, FP64 (exact below 2^53), in the tensor's shape. An operator that only
/// puts values elsewhere, run on these, says where each value of its result comes from.
at::Tensor offsets_of(const at::Tensor& golden);

/// The shadow of a result whose values are copies of values of `golden`: from the offsets in `sources`, which
/// has the result's shape, or from kFromNowhere. Rows stay rows where each is copied as a whole.
Shadow relocated(const Shadow& shadow, const at::Tensor& golden, const at::Tensor& sources);

}  // namespace faultwave::wave
