// SPDX-License-Identifier: Apache-2.0
// Operators chunk by chunk on what differs, against the operator on the whole tensor of each trial.
#include "src/wave/rules/row_pass.h"

#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <utility>

#include <doctest/doctest.h>

#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

/// So many rows of 64 channels that they make more than one chunk, three trials.
struct Example {
  static constexpr int64_t kRows = 400;
  static constexpr int64_t kChannels = 64;

  Example() {
    Indices trials;
    Indices places;
    for (const int32_t trial : {1, 4, 6}) {
      for (int32_t row = 0; row < kRows; ++row) {
        if (row % 3 == trial % 3) continue;
        trials.push_back(trial);
        places.push_back(row);
      }
    }
    const auto entries = static_cast<int64_t>(trials.size());
    // Every third channel of an entry does not differ.
    at::Tensor values = whole_numbers({entries, kChannels}, 3) / 4;
    values.view({-1}).slice(0, 0, values.numel(), 3).zero_();
    values[0][1] = NAN;
    values[1][1] = kInf;
    values[2][1] = -kInf;
    changes = made_shadow(1, trials, places, values, true);
    scaled = changes;
    scaled.form.scale = whole_numbers({kChannels}, 4) / 2;
  }

  at::Tensor golden = whole_numbers({kRows, kChannels}, 1) / 2;
  Shadow changes{Form{}};
  Shadow scaled{Form{}};
};

/// What is behind the operator for each trial, but for changes below what counts.
void check_pass(const Shadow& in, const Shadow& out, const at::Tensor& golden, const at::Tensor& golden_out,
                const ValuesOperator& run) {
  for (const int32_t trial : {0, 1, 4, 6}) {
    CAPTURE(trial);
    const at::Tensor expected = run(tensor_of_trial(in, trial, golden));
    const at::Tensor actual = tensor_of_trial(out, trial, golden_out);
    CHECK(at::allclose(actual, expected, 1e-6, least_change(golden_out), /*equal_nan=*/true));
  }
}

at::Tensor apply_sigmoid(const at::Tensor& values) {
  return at::sigmoid(values);
}

at::Tensor apply_hardswish(const at::Tensor& values) {
  at::Tensor own = values;
  return at::hardswish_(own);
}

at::Tensor apply_softmax(const at::Tensor& rows) {
  return at::softmax(rows, -1);
}

TEST_CASE("pass_rows: value by value") {
  const Example example;
  for (const Shadow& in : {example.changes, example.scaled, as_values(example.changes, example.golden),
                           to_points(example.changes, example.golden)}) {
    CAPTURE(in.form.is_change);
    CAPTURE(in.form.axis);
    const at::Tensor after_sigmoid = apply_sigmoid(example.golden);
    const Shadow by_sigmoid = pass_rows(in, example.golden, after_sigmoid, apply_sigmoid);
    CHECK_FALSE(by_sigmoid.form.is_change);
    check_pass(in, by_sigmoid, example.golden, after_sigmoid, apply_sigmoid);

    const at::Tensor after_hardswish = at::hardswish(example.golden);
    const at::Tensor before = in.values.clone();
    const Shadow by_hardswish = pass_rows(in, example.golden, after_hardswish, apply_hardswish);
    check_pass(in, by_hardswish, example.golden, after_hardswish,
               [](const at::Tensor& values) { return at::hardswish(values); });
    CHECK(at::allclose(in.values, before, 0, 0, /*equal_nan=*/true));
  }
}

TEST_CASE("pass_rows: what did not differ is golden in all bits behind the operator") {
  const Example example;
  // A golden result that the operator does not give again: vector and scalar code may round differently.
  const at::Tensor golden_out = at::sigmoid(example.golden) + 0x1p-20;
  for (const Shadow& in : {example.changes, as_values(example.changes, example.golden)}) {
    const Shadow out = pass_rows(in, example.golden, golden_out, apply_sigmoid);
    const at::Tensor same = tensor_of_trial(in, 4, example.golden) == example.golden;
    const at::Tensor actual = tensor_of_trial(out, 4, golden_out);
    CHECK(same.sum().item<int64_t>() > 1000);
    CHECK(at::equal(actual.masked_select(same), golden_out.masked_select(same)));
  }
}

TEST_CASE("pass_whole_rows: one value decides over a row") {
  const Example example;
  const at::Tensor golden_out = apply_softmax(example.golden);
  for (const Shadow& in : {example.changes, example.scaled, as_values(example.changes, example.golden)}) {
    const Shadow out = pass_whole_rows(in, example.golden, golden_out, apply_softmax);
    check_pass(in, out, example.golden, golden_out, apply_softmax);
  }
}

TEST_CASE("pass_clamp: ReLU, ReLU6 and hardtanh") {
  const Example example;
  for (const auto& [low, high] : {std::pair{0.0F, kInf}, std::pair{0.0F, 6.0F}, std::pair{-1.0F, 1.0F}}) {
    CAPTURE(low);
    CAPTURE(high);
    const ValuesOperator clamp = [low = low, high = high](const at::Tensor& values) {
      return at::clamp(values, low, high);
    };
    const at::Tensor golden_out = clamp(example.golden);
    for (const Shadow& in : {example.changes, example.scaled, to_points(example.changes, example.golden)}) {
      const Shadow out = pass_clamp(in, example.golden, low, high, least_change(golden_out));
      CHECK(out.form.is_change);
      check_pass(in, out, example.golden, golden_out, clamp);
    }
  }
}

/// Four rows of two values whose mean magnitude is 1; `scale` is that of their changes.
Shadow small_changes(float scale) {
  const at::Tensor values = torch::tensor({0.5F, 0.F, 0.F, -0.9F, 1.5F, 0.F, 0.F, 0.F}).view({4, 2});
  return made_shadow(1, {0, 1, 2, 3}, {0, 1, 2, 3}, values * scale, true);
}

TEST_CASE("rows whose changes are all below the least that counts are dropped") {
  const at::Tensor golden = at::ones({4, 2});
  CHECK(least_change(golden) == static_cast<float>(kLeastChange));
  CHECK(least_change(-2 * golden) == static_cast<float>(2 * kLeastChange));
  CHECK_FALSE(std::isfinite(least_change(at::full({1}, kInf))));
  const Shadow in = small_changes(static_cast<float>(kLeastChange));
  const ValuesOperator same = [](const at::Tensor& values) { return values; };
  for (const Shadow& out :
       {pass_rows(in, golden, golden, same), pass_clamp(in, golden, 0, kInf, least_change(golden)),
        less_golden(as_values(in, golden), golden)}) {
    CHECK(out.trials == Indices{2});
    CHECK(out.places == Indices{2});
  }
}

TEST_CASE("less_golden keeps NaN and makes changes") {
  const at::Tensor golden = at::ones({2, 2});
  const Shadow values = made_shadow(1, {0, 1}, {0, 1}, torch::tensor({{1.F, 1.F}, {NAN, 1.F}}), false);
  const Shadow out = less_golden(values, golden);
  CHECK(out.form.is_change);
  CHECK(out.trials == Indices{1});
  CHECK(at::allclose(out.values, torch::tensor({{NAN, 0.F}}), 0, 0, /*equal_nan=*/true));
}

TEST_CASE("a golden tensor with infinities is passed by values, and drops only what is golden in all bits") {
  const at::Tensor golden = torch::tensor({1.F, 2.F, -kInf, 3.F}).view({2, 2});
  const Shadow in = made_shadow(1, {0, 1}, {0, 1}, torch::tensor({{1e-9F, 0.F}, {0.F, 1e-3F}}), true);
  const Shadow out = pass_rows(in, golden, golden, [](const at::Tensor& values) { return values; });
  CHECK(out.trials == Indices{1});  // 1 + 1e-9 is 1
  CHECK(at::equal(out.values, torch::tensor({{-kInf, 3.001F}})));
}

TEST_CASE("nothing in, nothing out") {
  const at::Tensor golden = at::ones({2, 2});
  CHECK(pass_rows(Shadow(Form{}), golden, golden, apply_sigmoid).empty());
  CHECK(pass_clamp(Shadow(Form{}), golden, 0, kInf, least_change(golden)).empty());
}

}  // namespace
}  // namespace faultwave::wave
