// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <utility>

#include "src/wave/operators/operator.h"
#include "src/wave/rules/sparse_product.h"

namespace faultwave::wave {
namespace {

/// The change of a result is the change before it times the weight transposed, row by row. The weight is
/// [out, in].
std::vector<Shadow> multiply(const Call& call, const Shadow& in, const at::Tensor& golden,
                             const at::Tensor& weight) {
  const int64_t axis = golden.dim() - 1;
  const Shadow rows = as_changes(in.form.axis == axis ? in : to_rows(settled(in), golden, axis), golden);
  const at::Tensor scaled = rows.form.scale.defined() ? weight * rows.form.scale : weight;
  SparseProduct product = sparse_product(rows.values, scaled.contiguous(), rows.form.interleave);
  call.count(product.multiply_adds);
  const Form form = Form::changes_of(call.result(), call.result().dim() - 1);
  return {with_values(rows, std::move(product.values), form)};
}

}  // namespace

// linear(input, weight, bias), addmm(bias, input, matrix, beta, alpha), mm and matmul(input, matrix) with a
// golden matrix, as Product describes them.
std::optional<std::vector<Shadow>> product_rule(const Call& call) {
  const Product& product = call.described().product.value();
  const bool fits = call.is_only_shadowed(product.activation) && call.tensor(product.matrix).dim() == 2 &&
                    call.tensor(product.activation).dim() > 0 &&
                    (product.factor.empty() || call.argument(product.factor).toScalar().toDouble() == 1);
  if (!fits) return std::nullopt;
  const at::Tensor matrix = call.tensor(product.matrix);
  return multiply(call, *call.shadow_of(product.activation), call.tensor(product.activation),
                  product.is_transposed ? matrix : matrix.t());
}

}  // namespace faultwave::wave
