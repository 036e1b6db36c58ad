// SPDX-License-Identifier: Apache-2.0
// Shadows of changes, and shadows that are cut or put into another order.
#include <torch/torch.h>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "src/wave/shadow.h"
#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

/// Two rows of three channels: 0 to 5.
at::Tensor golden() {
  return at::arange(6, at::kFloat).view({2, 3});
}

bool is_same(const at::Tensor& a, const at::Tensor& b) {
  return at::allclose(a, b, 0, 0, /*equal_nan=*/true);
}

TEST_CASE("values become changes and come back") {
  const at::Tensor rows = torch::tensor({10.F, 1.F, -2.F, 3.F, NAN, kInf}).view({2, 3});
  const Shadow values = made_shadow(1, {1, 4}, {0, 1}, rows, false);
  const Shadow changes = as_changes(values, golden());
  CHECK(changes.form.is_change);
  CHECK(changes.form.axis == 1);
  CHECK(is_same(changes.values, torch::tensor({10.F, 0.F, -4.F, 0.F, NAN, kInf}).view({2, 3})));
  const Shadow back = as_values(changes, golden());
  CHECK_FALSE(back.form.is_change);
  CHECK(back.trials == values.trials);
  CHECK(back.places == values.places);
  CHECK(is_same(back.values, rows));
}

TEST_CASE("a change of 0 stands for the golden bits, whatever they are") {
  const at::Tensor odd = torch::tensor({-0.0F, kInf, NAN});
  const Shadow same = made_shadow(Shadow::points, {0, 0, 0}, {0, 1, 2}, odd, false);
  const Shadow changes = as_changes(same, odd);
  CHECK(at::equal(changes.values, at::zeros({3})));
  const at::Tensor back = as_values(changes, odd).values;
  CHECK(std::signbit(back[0].item<float>()));
  CHECK(back[1].item<float>() == kInf);
  CHECK(std::isnan(back[2].item<float>()));
  CHECK(std::signbit(tensor_of_trial(changes, 0, odd)[0].item<float>()));
}

TEST_CASE("a factor that is waited for counts in every reading") {
  Shadow rows = made_shadow(1, {3}, {1}, torch::tensor({1.F, 2.F, 3.F}).view({1, 3}), true);
  rows.form.scale = torch::tensor({10.F, 0.F, -1.F});
  const Shadow now = settled(rows);
  CHECK_FALSE(now.form.scale.defined());
  CHECK(at::equal(now.values, torch::tensor({{10.F, 0.F, -3.F}})));
  CHECK(at::equal(rows.values, torch::tensor({{1.F, 2.F, 3.F}})));

  const at::Tensor faulty = torch::tensor({{13.F, 4.F, 2.F}});
  const Shadow values = as_values(rows, golden());
  CHECK(at::equal(values.values, faulty));
  CHECK_FALSE(values.form.scale.defined());
  CHECK(at::equal(tensor_of_trial(rows, 3, golden()), at::cat({golden().narrow(0, 0, 1), faulty})));
  const Shadow points = to_points(rows, golden());
  CHECK(points.places == Indices{3, 5});
  CHECK(at::equal(points.values, torch::tensor({10.F, -3.F})));

  CHECK(as_changes(rows, golden()).form.scale.defined());
  const Shadow other = made_shadow(1, {5}, {0}, at::ones({1, 3}), true);
  CHECK(at::equal(merge(other, rows, golden()).values, torch::tensor({{10.F, 0.F, -3.F}, {1.F, 1.F, 1.F}})));
}

TEST_CASE("settled leaves alone what waits for no factor") {
  const Shadow rows = made_shadow(1, {3}, {1}, at::ones({1, 3}), true);
  CHECK(settled(rows).values.is_same(rows.values));
}

TEST_CASE("changes that are all 0 are dropped") {
  const at::Tensor changes = torch::tensor({{0.F, -0.F, 0.F}, {0.F, NAN, 0.F}, {0.F, 0.F, 0.F}});
  Shadow rows = made_shadow(1, {1, 2, 3}, {0, 1, 0}, changes, true);
  drop_golden(rows, golden());
  CHECK(rows.trials == Indices{2});
  CHECK(rows.places == Indices{1});
  CHECK(std::isnan(rows.values[0][1].item<float>()));
}

TEST_CASE("slice_of is a view of the trials between, in the same form") {
  Shadow rows = made_shadow(1, {2, 2, 5, 9}, {0, 1, 1, 0}, whole_numbers({4, 3}, 1), true);
  rows.form.scale = at::ones({3});
  const Shadow slice = slice_of(rows, 3, 9);
  CHECK(slice.trials == Indices{5});
  CHECK(slice.places == Indices{1});
  CHECK(slice.values.const_data_ptr<float>() == rows.values.const_data_ptr<float>() + 6);
  CHECK(slice.form.axis == 1);
  CHECK(slice.form.is_change);
  CHECK(slice.form.scale.is_same(rows.form.scale));
  CHECK(slice_of(rows, 2, 6).trials == Indices{2, 2, 5});
  CHECK(slice_of(rows, 0, 10).size() == 4);
  CHECK(slice_of(rows, 3, 5).empty());
}

TEST_CASE("moved takes entries to new places and keeps the order") {
  Shadow rows = made_shadow(1, {2, 2, 2, 5}, {0, 1, 2, 0}, whole_numbers({4, 3}, 1), true);
  rows.form.scale = at::ones({3});
  for (const int64_t count : {8, 1000}) {  // counted into their places, and sorted
    CAPTURE(count);
    const Shadow out = moved(rows, {7, 3, 5, 1}, count);
    CHECK(out.trials == rows.trials);
    CHECK(out.places == Indices{3, 5, 7, 1});
    CHECK(at::equal(out.values, rows.values.index_select(0, torch::tensor({1, 2, 0, 3}))));
    CHECK(out.form.axis == 1);
    CHECK(out.form.is_change);
    CHECK(out.form.scale.defined());
  }
  const Shadow same_order = moved(rows, {1, 4, 6, 2}, 8);
  CHECK(same_order.places == Indices{1, 4, 6, 2});
  CHECK(same_order.values.is_same(rows.values));
}

TEST_CASE("put_in_order sorts each trial by itself, and entries with their places") {
  for (const int64_t count : {10, 1000}) {
    CAPTURE(count);
    Moves moves{{0, 0, 3, 3, 3, 4}, {9, 2, 1, 0, 8, 5}, {10, 11, 12, 13, 14, 15}};
    put_in_order(moves, count);
    CHECK(moves.trials == Indices{0, 0, 3, 3, 3, 4});
    CHECK(moves.places == Indices{2, 9, 0, 1, 8, 5});
    CHECK(moves.entries == Entries{11, 10, 13, 12, 14, 15});
  }
}

}  // namespace
}  // namespace faultwave::wave
