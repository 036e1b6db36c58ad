// SPDX-License-Identifier: Apache-2.0
// A template to copy for a new rule: it is compiled and tested (tests/wave/template_test.cpp), but not in the
// list of all.cpp, so networks go another way. docs/wave.md tells step by step what else a rule needs.
//
// First say what the operator does and why few values are enough. Here: glu(input, dim) multiplies the first
// half of an axis with the sigmoid of the second half, so what differs in one row along that axis changes
// that row of the result and no other.
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <utility>

#include "src/wave/rule.h"

namespace faultwave::wave {

// glu(input, dim). In the list it would be RuleEntry{"aten::glu", template_rule}. A line that says nothing
// else asks for shadows of faulty values, and so they come. A rule for a linear operator would ask for
// changes (Takes in rule.h).
std::optional<std::vector<Shadow>> template_rule(const Call& call) {
  // 1. Which calls is it made for? For all others nothing is returned, and a more general rule takes over, so
  // a rule can begin small. Arguments stand in the order of the operator's schema, defaults filled in.
  if (!call.is_only_shadowed(0)) return std::nullopt;

  // 2. Bring the shadow into the form that the rule works on. It comes as single values, or as rows along any
  // axis.
  const at::Tensor golden = call.tensor(0);
  const int64_t axis = c10::maybe_wrap_dim(call.arguments[1].toInt(), golden.dim());
  Shadow out = to_rows(*call.shadow_of(0), golden, axis);

  // 3. Compute for the entries of all trials at once: [entries, values of a row]. Use the operator itself
  // where you can, so that NaN and Inf behave as in a real run. Rows are numbered over the other axes, which
  // stay as they are, so trials and places hold for the result too.
  std::vector<c10::IValue> stack = call.arguments;
  stack[0] = out.values;
  stack[1] = int64_t{1};
  out.values = call.run(std::move(stack));

  // 4. Drop entries that have become golden. A trial without entries is finished, and each entry less saves
  // work in every operator behind this one.
  drop_golden(out, call.result());
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace faultwave::wave
