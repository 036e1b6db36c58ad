// SPDX-License-Identifier: Apache-2.0
// Reshapes of rows that are kept, cut and joined, against the real operator on each trial's tensor.
#include <torch/types.h>

#include <doctest/doctest.h>

#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

/// The shadow behind view(shape), checked against the operator, of changes and of values.
Shadow reshaped(const Shadow& changes, const at::Tensor& golden, const std::vector<int64_t>& shape) {
  static const c10::OperatorHandle op = operator_called("aten::view");
  Shadow of_changes(changes.form);
  for (const Shadow& in : {as_values(changes, golden), changes}) {
    CAPTURE(in.form.is_change);
    const Call call = call_of(op, {golden, shape}, golden.view(shape), in);
    const auto shadows = reshape_rule(call);
    REQUIRE(shadows);
    REQUIRE(shadows->size() == 1);
    const Shadow& out = shadows->front();
    CHECK(out.form.is_change == in.form.is_change);
    for (const int32_t trial : {0, 1, 2, 5}) {
      CAPTURE(trial);
      const at::Tensor expected = tensor_of_trial(in, trial, golden).view(shape);
      CHECK(at::equal(tensor_of_trial(out, trial, golden.view(shape)), expected));
    }
    // In order of trials, then places.
    for (size_t i = 1; i < out.trials.size(); ++i) {
      const bool is_behind = out.trials[i - 1] < out.trials[i] || out.places[i - 1] < out.places[i];
      CHECK(is_behind);
    }
    of_changes = out;
  }
  return of_changes;
}

TEST_CASE("rows stay as they are where their axis is kept") {
  const at::Tensor golden = whole_numbers({2, 6, 3, 2}, 1);
  const Shadow in = made_shadow(1, {0, 2, 2}, {4, 0, 11}, whole_numbers({3, 6}, 2), true);
  const Shadow out = reshaped(in, golden, {2, 6, 6});
  CHECK(out.form.axis == 1);
  CHECK(out.places == in.places);
  CHECK(out.values.is_same(in.values));
}

TEST_CASE("tokens are cut into heads") {
  const at::Tensor golden = whole_numbers({1, 4, 12}, 1);
  const Shadow in = made_shadow(2, {0, 2, 2}, {3, 0, 1}, whole_numbers({3, 12}, 2), true);
  const Shadow out = reshaped(in, golden, {1, 4, 3, 4});
  CHECK(out.form.axis == 3);
  CHECK(out.size() == 9);
}

TEST_CASE("pieces of a channel axis in front of others come in a new order") {
  const at::Tensor golden = whole_numbers({1, 6, 2, 2}, 1);
  const Shadow in = made_shadow(1, {0, 2, 2}, {3, 0, 1}, whole_numbers({3, 6}, 2), true);
  const Shadow out = reshaped(in, golden, {1, 2, 3, 2, 2});
  CHECK(out.form.axis == 2);
  CHECK(out.size() == 6);
  CHECK(out.places == Indices{3, 7, 0, 1, 4, 5});
}

TEST_CASE("heads are joined to tokens; a head without an entry is golden") {
  const at::Tensor golden = whole_numbers({1, 4, 3, 4}, 1);
  const Shadow in = made_shadow(3, {0, 2, 2, 2, 5}, {7, 0, 2, 4, 11}, whole_numbers({5, 4}, 2), true);
  const Shadow out = reshaped(in, golden, {1, 4, 12});
  CHECK(out.form.axis == 2);
  CHECK(out.form.interleave == 1);
  CHECK(out.trials == Indices{0, 2, 2, 5});
  CHECK(out.places == Indices{2, 0, 1, 3});
}

TEST_CASE("pixels of a flattened map are interleaved in its row") {
  const at::Tensor golden = whole_numbers({2, 3, 2, 2}, 1);
  const Shadow in = made_shadow(1, {0, 2, 2, 5}, {7, 0, 3, 5}, whole_numbers({4, 3}, 2), true);
  const Shadow out = reshaped(in, golden, {2, 12});
  CHECK(out.form.axis == 1);
  CHECK(out.form.interleave == 4);
  CHECK(out.trials == Indices{0, 2, 5});
  CHECK(out.places == Indices{1, 0, 1});
}

TEST_CASE("rows that fit nothing become points, and points stay") {
  const at::Tensor golden = whole_numbers({4, 6}, 1);
  const Shadow in = made_shadow(1, {0, 2}, {1, 3}, whole_numbers({2, 6}, 2), true);
  const Shadow out = reshaped(in, golden, {3, 8});
  CHECK(out.is_points());
  CHECK(reshaped(to_points(in, golden), golden, {3, 8}).is_points());
}

}  // namespace
}  // namespace faultwave::wave
