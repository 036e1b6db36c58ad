// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <utility>

#include "src/wave/rule.h"
#include "src/wave/rules/sparse_product.h"

namespace faultwave::wave {
namespace {

/// The change of a result is the change before it times the weight transposed, row by row. The weight is
/// [out, in].
std::vector<Shadow> multiply(const Call& call, const Shadow& in, const at::Tensor& golden,
                             const at::Tensor& weight) {
  const int64_t axis = golden.dim() - 1;
  const Shadow rows = as_changes(in.axis == axis ? in : to_rows(settled(in), golden, axis), golden);
  const at::Tensor scaled = rows.scale.defined() ? weight * rows.scale : weight;
  SparseProduct product = sparse_product(rows.values, scaled.contiguous(), rows.interleave);
  call.count(product.multiply_adds);
  Shadow out = with_values(rows, std::move(product.values), true);
  out.axis = call.result().dim() - 1;
  return {std::move(out)};
}

}  // namespace

// linear(input, weight, bias)
std::optional<std::vector<Shadow>> linear_rule(const Call& call) {
  if (!call.is_only_shadowed(0)) return std::nullopt;
  return multiply(call, *call.shadow_of(0), call.tensor(0), call.tensor(1));
}

// addmm(bias, input, matrix, beta, alpha), as torch::nn::Linear in C++ calls it.
std::optional<std::vector<Shadow>> addmm_rule(const Call& call) {
  const bool fits = call.is_only_shadowed(1) && call.arguments[4].toScalar().toDouble() == 1;
  if (!fits) return std::nullopt;
  return multiply(call, *call.shadow_of(1), call.tensor(1), call.tensor(2).t());
}

// mm(input, matrix) and matmul(input, matrix) with a golden matrix.
std::optional<std::vector<Shadow>> matmul_rule(const Call& call) {
  const bool fits = call.is_only_shadowed(0) && call.tensor(1).dim() == 2 && call.tensor(0).dim() >= 2;
  if (!fits) return std::nullopt;
  return multiply(call, *call.shadow_of(0), call.tensor(0), call.tensor(1).t());
}

}  // namespace faultwave::wave
