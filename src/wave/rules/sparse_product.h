// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace faultwave::wave {

struct SparseProduct {
  at::Tensor values;         ///< [R, out]
  double multiply_adds = 0;  ///< that it took
};

/// rows [R, in] times weight [out, in] transposed, for rows in which many values are 0, mostly the same ones
/// in rows that resemble each other: units that ReLU keeps at zero in the golden run and in most faulty ones,
/// and pixels that a fault does not reach. Rows that reach the same pixels are put into the same tiles, and
/// columns that are 0 in all rows of a tile are left out there. `interleave`: the columns of a pixel lie that
/// far apart, as flatten() puts them; 1 if there are none. All FP32, contiguous, on the CPU.
SparseProduct sparse_product(const at::Tensor& rows, const at::Tensor& weight, int64_t interleave);

}  // namespace faultwave::wave
