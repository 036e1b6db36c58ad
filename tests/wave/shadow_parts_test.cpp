// SPDX-License-Identifier: Apache-2.0
#include "src/wave/shadow_parts.h"

#include <torch/torch.h>

#include <doctest/doctest.h>

#include "tests/wave/made_shadows.h"

namespace faultwave::wave {
namespace {

/// Rows of two channels, 100 of them.
at::Tensor golden() {
  return at::arange(200, at::kFloat).view({100, 2});
}

/// One row of changes, all `change`, for each of these trials.
Shadow changes_of(const Indices& trials, float change) {
  const Indices places(trials.size(), 1);
  return made_shadow(1, trials, places, at::full({static_cast<int64_t>(trials.size()), 2}, change), true);
}

TEST_CASE("later trials become a part of their own") {
  ShadowParts parts;
  append(parts, Shadow(Form{}), golden());
  CHECK(parts.empty());
  CHECK(is_empty(parts));
  append(parts, changes_of({0, 2}, 1), golden());
  append(parts, changes_of({3}, 5), golden());
  REQUIRE(parts.size() == 2);
  CHECK_FALSE(is_empty(parts));
  CHECK(parts[1].trials == Indices{3});
  CHECK(bytes_of(parts) == parts[0].bytes() + parts[1].bytes());
}

TEST_CASE("trials that come between those of others make one part of values") {
  ShadowParts parts;
  append(parts, changes_of({0, 5}, 1), golden());
  append(parts, changes_of({8}, 2), golden());
  Shadow between = changes_of({3}, 3);
  between.form.scale = torch::tensor({10.F, 1.F});
  append(parts, between, golden());
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].trials == Indices{0, 3, 5, 8});
  CHECK_FALSE(parts[0].form.is_change);
  CHECK(at::equal(parts[0].values, torch::tensor({{3.F, 4.F}, {32.F, 6.F}, {3.F, 4.F}, {4.F, 5.F}})));
}

TEST_CASE("all parts become one, factors applied") {
  ShadowParts parts;
  append(parts, changes_of({0, 2}, 1), golden());
  append(parts, changes_of({3}, 5), golden());
  Shadow last = changes_of({7}, 2);
  last.form.scale = torch::tensor({10.F, 1.F});
  append(parts, last, golden());
  REQUIRE(parts.size() == 3);
  join_all(parts, golden());
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].trials == Indices{0, 2, 3, 7});
  CHECK(parts[0].form.is_change);
  CHECK(at::equal(parts[0].values, torch::tensor({{1.F, 1.F}, {1.F, 1.F}, {5.F, 5.F}, {20.F, 2.F}})));
}

TEST_CASE("parts are joined once the last has half the entries of the one before it") {
  ShadowParts parts;
  append(parts, changes_of({0, 1, 2, 3}, 1), golden());
  append(parts, changes_of({4}, 2), golden());
  join_small(parts, golden());
  CHECK(parts.size() == 2);
  append(parts, changes_of({5}, 3), golden());
  join_small(parts, golden());  // 1 and 1 make 2, which is half of 4
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].trials == Indices{0, 1, 2, 3, 4, 5});
  CHECK(at::equal(parts[0].values.select(1, 0), torch::tensor({1.F, 1.F, 1.F, 1.F, 2.F, 3.F})));
  CHECK(parts[0].form.is_change);
}

TEST_CASE("parts of other forms, or that wait for a factor, are not joined") {
  const Shadow first = changes_of({0}, 1);
  Shadow scaled = changes_of({1}, 1);
  scaled.form.scale = at::ones({2});
  const Shadow values = as_values(changes_of({1}, 1), golden());
  const Shadow points = to_points(changes_of({1}, 1), golden());
  for (const Shadow& other : {scaled, values, points}) {
    ShadowParts parts{first, other};
    join_small(parts, golden());
    CHECK(parts.size() == 2);
  }
}

TEST_CASE("materialise finds the part of a trial; without one the tensor is the golden one") {
  const at::Tensor before = golden();
  const ShadowParts parts{changes_of({0, 2}, 1), to_points(changes_of({7}, 4), golden())};
  at::Tensor expected = golden();
  expected.select(0, 1).add_(4);
  CHECK(at::equal(materialise(parts, 7, before), expected));
  CHECK(at::equal(before, golden()));
  CHECK(materialise(parts, 1, before).is_same(before));
}

TEST_CASE("select_trials leaves no empty part behind") {
  const ShadowParts parts{changes_of({0, 2}, 1), changes_of({3, 4}, 2)};
  const ShadowParts selected = select_trials(parts, {0, 0, 0, 0, 1});
  REQUIRE(selected.size() == 1);
  CHECK(selected[0].trials == Indices{4});
}

}  // namespace
}  // namespace faultwave::wave
