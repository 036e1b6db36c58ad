// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <utility>

#include "src/wave/rule.h"
#include "src/wave/rules/product.h"

namespace faultwave::wave {

namespace {

/// out = golden out + (value - golden value) * weight transposed, row by row; weight is [out, in].
std::vector<Shadow> multiply(const Shadow& in, const at::Tensor& golden, const at::Tensor& weight,
                             const at::Tensor& result) {
  const Shadow rows = to_rows(in, golden, golden.dim() - 1);
  const at::Tensor changes = rows.values - golden_at(rows, golden);
  Shadow out;
  out.axis = result.dim() - 1;
  out.trials = rows.trials;
  out.places = rows.places;
  out.values = product(changes, weight.contiguous());
  out.values += golden_at(out, result);
  drop_golden(out, result);
  return {std::move(out)};
}

}  // namespace

// linear(input, weight, bias)
std::optional<std::vector<Shadow>> linear_rule(const Call& call) {
  if (!call.is_only_shadowed(0)) return std::nullopt;
  return multiply(*call.shadow_of(0), call.tensor(0), call.tensor(1), call.result());
}

// addmm(bias, input, matrix, beta, alpha), as torch::nn::Linear in C++ calls it.
std::optional<std::vector<Shadow>> addmm_rule(const Call& call) {
  const bool fits = call.is_only_shadowed(1) && call.arguments[4].toScalar().toDouble() == 1;
  if (!fits) return std::nullopt;
  return multiply(*call.shadow_of(1), call.tensor(1), call.tensor(2).t(), call.result());
}

// mm(input, matrix) and matmul(input, matrix) with a golden matrix.
std::optional<std::vector<Shadow>> matmul_rule(const Call& call) {
  const bool fits = call.is_only_shadowed(0) && call.tensor(1).dim() == 2 && call.tensor(0).dim() >= 2;
  if (!fits) return std::nullopt;
  return multiply(*call.shadow_of(0), call.tensor(0), call.tensor(1).t(), call.result());
}

}  // namespace faultwave::wave
