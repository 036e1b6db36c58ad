// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <utility>

#include "src/wave/rule.h"

namespace faultwave::wave {

// linear(input, weight, bias): out = golden out + (value - golden value) W', row by row.
std::optional<std::vector<Shadow>> linear_rule(const Call& call) {
  if (!call.is_only_shadowed(0)) return std::nullopt;
  const at::Tensor golden = call.tensor(0);
  const at::Tensor result = call.result();
  const Shadow rows = to_rows(*call.shadow_of(0), golden, golden.dim() - 1);
  const at::Tensor places = at::tensor(at::ArrayRef<int32_t>(rows.places), at::kInt);
  const at::Tensor changes = rows.values - rows_of(golden, rows.axis).index_select(0, places);
  Shadow out;
  out.axis = rows.axis;
  out.trials = rows.trials;
  out.places = rows.places;
  out.values = rows_of(result, out.axis).index_select(0, places);
  out.values.addmm_(changes, call.tensor(1).t());
  drop_golden(out, result);
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace faultwave::wave
