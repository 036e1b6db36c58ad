// SPDX-License-Identifier: Apache-2.0
// Shadows of integer tensors: the same entries as those of FP32, and exact arithmetic.
#include <torch/types.h>

#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
constexpr int32_t kMost = std::numeric_limits<int32_t>::max();

/// INT32 [2, 3, 2] with numbers that FP32 cannot tell from their neighbours.
at::Tensor golden() {
  at::Tensor numbers = at::arange(12, at::kInt).view({2, 3, 2}) + (1 << 30);
  numbers[0][0][0] = kLeast;
  numbers[1][2][1] = kMost;
  return numbers;
}

at::Tensor integers(const std::vector<int32_t>& values, c10::IntArrayRef shape) {
  return torch::tensor(values, at::kInt).view(shape);
}

/// Trial 1 has rows 0 and 3 along axis 1, trial 4 has row 3: values next to the golden ones.
Shadow rows() {
  const at::Tensor before = rows_of(golden(), 1);
  at::Tensor values = before.index_select(0, integers({0, 3, 3}, {3}));
  values[0][0] = kMost;  // a change that is no INT32: it wraps
  values[1][1] += 1;
  values[2][2] -= 1;
  return made_shadow(1, {1, 1, 4}, {0, 3, 3}, values, false, at::kInt);
}

TEST_SUITE("integer shadows") {
  TEST_CASE("INT32 and INT8 can have shadows, other integers not") {
    CHECK(can_have_shadow(at::zeros({2}, at::kInt)));
    CHECK(can_have_shadow(at::zeros({2}, at::kChar)));
    CHECK(can_have_shadow(at::zeros({2}, at::kFloat)));
    CHECK_FALSE(can_have_shadow(at::zeros({2}, at::kLong)));
    CHECK_FALSE(can_have_shadow(at::zeros({2}, at::kDouble)));
    CHECK_THROWS_AS(static_cast<void>(with_type(at::kLong, [](auto) { return 0; })), InternalError);
  }

  TEST_CASE("values and changes are exact, also where they wrap") {
    const Shadow changes = as_changes(rows(), golden());
    CHECK((changes.values.scalar_type() == at::kInt));
    CHECK(at::equal(changes.values, integers({-1, 0, 0, 0, 1, 0, 0, 0, -1}, {3, 3})));
    const Shadow back = as_values(changes, golden());
    CHECK(at::equal(back.values, rows().values));
    CHECK_FALSE(back.form.is_change);

    const Shadow points = to_points(changes, golden());
    CHECK(points.trials == Indices{1, 1, 4});
    CHECK(points.places == Indices{0, 9, 11});
    CHECK(at::equal(points.values, integers({-1, 1, -1}, {3})));
    CHECK(at::equal(to_rows(points, golden(), 1).values, changes.values));
    CHECK(at::equal(to_rows(to_points(rows(), golden()), golden(), 1).values, rows().values));
  }

  TEST_CASE("a trial's tensor is the same from values, changes, rows and points") {
    at::Tensor expected = golden();
    expected[0][0][0] = kMost;
    expected[1][1][1] += 1;
    const Shadow changes = as_changes(rows(), golden());
    for (const Shadow& shadow : {rows(), changes, to_points(rows(), golden()), to_points(changes, golden()),
                                 to_rows(rows(), golden(), 2)})
      CHECK(at::equal(tensor_of_trial(shadow, 1, golden()), expected));
    CHECK(at::equal(tensor_of_trial(changes, 0, golden()), golden()));
  }

  TEST_CASE("entries that are golden are dropped, those that differ by one are not") {
    Shadow values = rows();
    values.values[1][1] -= 1;
    drop_golden(values, golden());
    CHECK(values.trials == Indices{1, 4});
    Shadow changes = as_changes(rows(), golden());
    changes.values[2].zero_();
    drop_golden(changes, golden());
    CHECK(changes.trials == Indices{1, 1});
    CHECK((changes.values.scalar_type() == at::kInt));
  }

  TEST_CASE("they are cut, moved and joined") {
    const Shadow slice = slice_of(rows(), 2, 9);
    CHECK(slice.trials == Indices{4});
    CHECK((slice.form.type == at::kInt));
    const Shadow selected = select_trials(rows(), {0, 1, 0, 0, 0});
    CHECK(at::equal(selected.values, rows().values.narrow(0, 0, 2)));

    const Shadow there = moved(rows(), {2, 1, 0}, 4);
    CHECK(there.places == Indices{1, 2, 0});
    CHECK(at::equal(there.values, rows().values.index_select(0, torch::tensor({1, 0, 2}))));

    const Shadow later = made_shadow(1, {2}, {2}, integers({7, 8, 9}, {1, 3}), false, at::kInt);
    const Shadow merged = merge(rows(), later, golden());
    CHECK(merged.trials == Indices{1, 1, 2, 4});
    CHECK(at::equal(merged.values[2], integers({7, 8, 9}, {3})));
    const Shadow mixed = merge(as_changes(rows(), golden()), later, golden());
    CHECK(mixed.form.is_change);
    CHECK(at::equal(as_values(mixed, golden()).values, merged.values));
    CHECK(behind(rows(), made_shadow(1, {5}, {0}, later.values, false, at::kInt)).size() == 4);

    const Shadow over = made_shadow(1, {1}, {3}, rows_of(golden(), 1).narrow(0, 3, 1) + 0, false, at::kInt);
    over.values[0][0] = 5;
    const Shadow both = overlay(rows(), over, golden());
    CHECK(both.size() == 3);
    CHECK(both.values[1][0].item<int32_t>() == 5);
    CHECK(both.values[1][1].item<int32_t>() == rows().values[1][1].item<int32_t>());
  }

  TEST_CASE("changes of INT8 have room for all differences of two INT8") {
    const at::Tensor bytes = torch::tensor({-128, 127, 0, 5}, at::kChar).view({2, 2});
    const Shadow values = made_shadow(
        1, {0, 3}, {0, 1}, torch::tensor({127, -128, 0, 4}, at::kChar).view({2, 2}), false, at::kChar);
    const Shadow changes = as_changes(values, bytes);
    CHECK((changes.values.scalar_type() == at::kInt));
    CHECK(at::equal(changes.values, integers({255, -255, 0, -1}, {2, 2})));
    CHECK((as_values(changes, bytes).values.scalar_type() == at::kChar));
    CHECK(at::equal(as_values(changes, bytes).values, values.values));
    const Shadow points = to_points(changes, bytes);
    CHECK(points.places == Indices{0, 1, 3});
    CHECK(at::equal(tensor_of_trial(points, 0, bytes),
                    torch::tensor({127, -128, 0, 5}, at::kChar).view({2, 2})));
    CHECK(values.bytes() == 2 * 8 + 4);
    CHECK(changes.bytes() == 2 * 8 + 16);
  }

  TEST_CASE("points under construction") {
    PointListOf<int32_t> list(Form::values_of(golden()));
    at::Tensor faulty = golden();
    faulty[0][1][0] += 1;
    list.add_differences(3, golden(), faulty);
    const Shadow points = list.take();
    CHECK(points.trials == Indices{3});
    CHECK(points.places == Indices{2});
    CHECK(points.values.item<int32_t>() == (1 << 30) + 3);
    CHECK(list.take().empty());
  }
}

TEST_CASE("a form of other rows leaves behind what belongs to the rows that were") {
  const Form form{.axis = 1, .is_change = true, .interleave = 4};
  CHECK(form.along(2).interleave == 1);
  CHECK(form.along(2).is_change);
  CHECK(form.along(1).interleave == 4);
  CHECK(form.at_axis(2).interleave == 4);
  Form waiting = form;
  waiting.scale = at::ones({3});
  CHECK_THROWS_AS(static_cast<void>(waiting.along(2)), InternalError);
  CHECK(waiting.at_axis(2).scale.defined());
  CHECK_FALSE(waiting.without_scale().scale.defined());
  CHECK_FALSE(waiting.as_values().scale.defined());
}

}  // namespace
}  // namespace faultwave::wave
