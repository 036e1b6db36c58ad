// SPDX-License-Identifier: Apache-2.0
// Pools of several maps, as a network has them that makes windows or crops a batch, against the real
// operator.
#include <torch/types.h>

#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

/// Of two maps of 4 x 4 pixels: trial 0 differs in the first, trial 1 in both, trial 3 in the second.
Shadow changed_rows() {
  at::Tensor values = whole_numbers({5, 3}, 3);
  values[1][2] = NAN;
  return made_shadow(1, {0, 0, 1, 1, 3}, {0, 6, 10, 16 + 3, 16 + 15}, values, true);
}

void check_rule(Rule rule, const c10::OperatorHandle& op, const std::vector<c10::IValue>& arguments,
                const at::Tensor& golden, const std::function<at::Tensor(const at::Tensor&)>& run) {
  const at::Tensor result = run(golden);
  for (const Shadow& in : {changed_rows(), as_values(changed_rows(), golden)}) {
    CAPTURE(in.form.is_change);
    const Call call = call_of(op, arguments, result, in);
    const auto shadows = rule(call);
    REQUIRE(shadows);
    for (const int32_t trial : {0, 1, 2, 3}) {
      CAPTURE(trial);
      const at::Tensor expected = run(tensor_of_trial(in, trial, golden));
      const at::Tensor actual = tensor_of_trial(shadows->front(), trial, result);
      CHECK(at::allclose(actual, expected, 1e-6, 1e-6, /*equal_nan=*/true));
    }
  }
}

TEST_CASE("max pool of trials in one map and in several") {
  const at::Tensor golden = whole_numbers({2, 3, 4, 4}, 1);
  const std::vector<int64_t> kernel{3, 3};
  const std::vector<int64_t> stride{1, 2};
  const std::vector<int64_t> padding{1, 1};
  const std::vector<int64_t> dilation{1, 1};
  const c10::OperatorHandle op = operator_called("aten::max_pool2d");
  check_rule(max_pool_rule, op, {golden, kernel, stride, padding, dilation, false}, golden,
             [&](const at::Tensor& maps) { return at::max_pool2d(maps, kernel, stride, padding, dilation); });
}

TEST_CASE("average of trials in one map and in several") {
  const at::Tensor golden = whole_numbers({2, 3, 4, 4}, 1);
  const std::vector<int64_t> size{1, 1};
  const c10::OperatorHandle op = operator_called("aten::adaptive_avg_pool2d");
  check_rule(average_rule, op, {golden, size}, golden,
             [&](const at::Tensor& maps) { return at::adaptive_avg_pool2d(maps, size); });
}

}  // namespace
}  // namespace faultwave::wave
