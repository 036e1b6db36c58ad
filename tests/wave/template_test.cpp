// SPDX-License-Identifier: Apache-2.0
// A rule to copy, and its test by itself: made-up shadows of one call, and what the operator gives for each
// trial. At the end the rule is described like those of src/wave/operators/, and both engines run a network.
// docs/wave.md tells what else a rule needs.
#include <c10/core/WrapDimMinimal.h>
#include <torch/types.h>

#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "src/wave/operators/operator.h"
#include "tests/wave/made_network.h"

namespace faultwave::wave {
namespace {

// First say what the operator does and why few values are enough. Here: glu(self, dim) multiplies the first
// half of an axis with the sigmoid of the second half, so what differs in one row along that axis changes
// that row of the result and no other.
std::optional<std::vector<Shadow>> gated_rule(const Call& call) {
  // 1. Which calls is it made for? For all others nothing is returned, and a more general rule takes over, so
  // a rule can begin small. Arguments go by the names that the operator's schema gives them.
  if (!call.is_only_shadowed("self")) return std::nullopt;

  // 2. Bring the shadow into the form that the rule works on. It comes as single values, or as rows along any
  // axis.
  const at::Tensor golden = call.tensor("self");
  const int64_t axis = c10::maybe_wrap_dim(call.argument("dim").toInt(), golden.dim());
  const Shadow rows = to_rows(*call.shadow_of("self"), golden, axis);

  // 3. Compute for the entries of all trials at once: [entries, values of a row]. Use the operator itself
  // where you can, so that NaN and Inf behave as in a real run. Rows are numbered over the other axes, which
  // stay as they are, so trials and places hold for the result too.
  std::vector<c10::IValue> stack = call.arguments;
  stack[0] = rows.values;
  stack[static_cast<size_t>(call.position_of("dim"))] = int64_t{1};
  Shadow out = with_values(rows, call.run(std::move(stack)), rows.form.as_values());

  // 4. Drop entries that have become golden. A trial without entries is finished, and each entry less saves
  // work in every operator behind this one.
  drop_golden(out, call.result());
  return std::vector<Shadow>{std::move(out)};
}

// Its description. One that says nothing else asks for shadows of faulty values, and so they come; a rule for
// a linear operator would ask for changes (Takes in rule.h).
Operator gated() {
  return {.name = "aten::glu", .rule = NamedRule{"gated unit", gated_rule}};
}

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
    const auto shadows = gated_rule(call);
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
  CHECK_FALSE(gated_rule(call));
}

TEST_CASE("the template, described, in a network") {
  add_operator(gated());
  auto module = std::make_shared<test::Holder>();
  auto stem = module->add("stem", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3)));
  auto head = module->add("head", torch::nn::Linear(4, 3));
  const WaveReport report = test::agree(
      module,
      [=](const at::Tensor& x) mutable {
        return std::vector<at::Tensor>{head(at::glu(stem(x), 1).mean({2, 3}))};
      },
      test::images(2, 3, 6, 5));
  CHECK(report.generic.count("aten::glu") == 0);
}

}  // namespace
}  // namespace faultwave::wave
