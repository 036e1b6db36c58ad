// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace faultwave::wave {

/// rows [R, in] times weight [out, in] transposed: [R, out]. All FP32, contiguous, on the CPU.
at::Tensor product(const at::Tensor& rows, const at::Tensor& weight);

}  // namespace faultwave::wave
