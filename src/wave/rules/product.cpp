// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/product.h"

#include <torch/types.h>

#include <cstdint>

namespace faultwave::wave {
namespace {

// Fewer rows do not pay for bringing the weight into the convolution's layout.
constexpr int64_t kFewRows = 64;

}  // namespace

// A 1x1 convolution of a map one pixel wide is this product too, and goes to oneDNN, which on processors of
// other makers than the BLAS library's is twice as fast as it.
at::Tensor product(const at::Tensor& rows, const at::Tensor& weight) {
  const int64_t count = rows.size(0);
  const int64_t in = weight.size(1);
  const int64_t out = weight.size(0);
  if (count < kFewRows) return at::mm(rows, weight.t());
  const at::Tensor map = rows.view({1, count, 1, in}).permute({0, 3, 1, 2});
  const at::Tensor result = at::conv2d(map, weight.view({out, in, 1, 1}));
  // Of one input channel the result may lie channel by channel.
  return result.permute({0, 2, 3, 1}).reshape({count, out}).contiguous();
}

}  // namespace faultwave::wave
