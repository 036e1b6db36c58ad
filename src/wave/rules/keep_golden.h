// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/wave/shadow.h"

namespace faultwave::wave {

/// Where an input equals its golden value in all bits, so does the output. Without this, the vector and the
/// scalar code of one operator, which may round differently, would make values differ that do not.
/// `output` is laid out as the values of `in`, and changed in place.
void keep_golden(const Shadow& in, const at::Tensor& golden_in, at::Tensor& output,
                 const at::Tensor& golden_out);

}  // namespace faultwave::wave
