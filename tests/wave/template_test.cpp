// SPDX-License-Identifier: Apache-2.0
// A template for the test of a rule by itself: made-up shadows of one call, and what the operator gives for
// each trial. A rule that is in the list gets a network in families_test.cpp too.
#include <torch/types.h>

#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "src/wave/rule.h"

namespace faultwave::wave {
namespace {

/// The values of a trial that differ from the golden ones, by row-major offset in ascending order.
struct Trial {
  int32_t number;
  std::vector<std::pair<int32_t, float>> values;
};

Shadow points_of(const std::vector<Trial>& trials) {
  PointList points;
  for (const Trial& trial : trials) {
    for (const auto& [offset, value] : trial.values)
      points.add(trial.number, offset, value);
  }
  return points.take();
}

at::Tensor faulty_input(const at::Tensor& golden, const Trial& trial) {
  at::Tensor faulty = golden.clone();
  for (const auto& [offset, value] : trial.values)
    faulty.view({-1})[offset] = value;
  return faulty;
}

bool is_same(const at::Tensor& a, const at::Tensor& b) {
  return at::equal(a.nan_to_num(1e30), b.nan_to_num(1e30)) && at::equal(a.isnan(), b.isnan());
}

TEST_CASE("the template: a gated linear unit, of points and of rows") {
  const at::Tensor input = ((at::arange(2 * 6 * 5) * 7 % 23).to(at::kFloat) / 8 - 1).view({2, 6, 5});
  const at::Tensor golden = at::glu(input, 1);
  const std::vector<Trial> trials{{0, {{3, 2.0F}}},
                                  {2, {{4, -1.5F}, {9, NAN}}},
                                  {3, {{7, input.view({-1})[7].item<float>()}}},
                                  {4, {{31, INFINITY}}}};
  const Shadow points = points_of(trials);

  for (const Shadow& shadow : {points, to_rows(points, input, 1), to_rows(points, input, 2)}) {
    const Call call{.op = c10::Dispatcher::singleton().findSchemaOrThrow("aten::glu", ""),
                    .arguments = {input, int64_t{1}},
                    .results = {golden},
                    .shadowed = {{{0, -1}, shadow}},
                    .leave = {}};
    const auto shadows = template_rule(call);
    REQUIRE(shadows);
    REQUIRE(shadows->size() == 1);
    const Shadow& out = shadows->front();
    for (const Trial& trial : trials) {
      CAPTURE(trial.number);
      const at::Tensor expected = at::glu(faulty_input(input, trial), 1);
      CHECK(is_same(materialise(out, segment_of(out, trial.number), golden), expected));
    }
    // A value that is the golden one leaves nothing behind, and no other row is touched.
    CHECK(segment_of(out, 3).size() == 0);
    CHECK(segment_of(out, 0).size() == 1);
    CHECK(segment_of(out, 2).size() == 1);
  }
}

TEST_CASE("the template leaves other calls to other rules") {
  const at::Tensor input = at::ones({2, 6});
  const Shadow points = points_of({{0, {{3, 2.0F}}}});
  const Call call{.op = c10::Dispatcher::singleton().findSchemaOrThrow("aten::glu", ""),
                  .arguments = {input, int64_t{1}},
                  .results = {at::glu(input, 1)},
                  .shadowed = {{{0, -1}, points}, {{1, -1}, points}},
                  .leave = {}};
  CHECK_FALSE(template_rule(call));
}

}  // namespace
}  // namespace faultwave::wave
