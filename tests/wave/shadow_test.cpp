// SPDX-License-Identifier: Apache-2.0
#include <torch/torch.h>

#include <doctest/doctest.h>

#include "src/wave/shadow_entries.h"
#include "src/wave/shadow_forms.h"

namespace faultwave::wave {
namespace {

TEST_CASE("segments of trials with one entry and with many") {
  Shadow shadow(Form{});
  std::vector<int64_t> sizes{1, 2, 3, 4, 5, 8, 9, 1, 1000, 1};
  for (size_t trial = 0; trial < sizes.size(); ++trial)
    shadow.trials.insert(shadow.trials.end(), static_cast<size_t>(sizes[trial]),
                         static_cast<int32_t>(3 * trial));
  const std::vector<Segment> found = segments(shadow);
  REQUIRE(found.size() == sizes.size());
  int64_t begin = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    CHECK(found[i].trial == static_cast<int32_t>(3 * i));
    CHECK(found[i].begin == begin);
    CHECK(found[i].size() == sizes[i]);
    begin += sizes[i];
  }
}

TEST_CASE("entries that are kept, many and few, stand in order") {
  for (const int64_t step : {2, 3, 5000}) {
    constexpr int64_t kEntries = 10000;  // more than one stretch
    Shadow shadow(Form{.axis = 1});
    std::vector<char> keep;
    for (int64_t entry = 0; entry < kEntries; ++entry) {
      shadow.trials.push_back(static_cast<int32_t>(entry / 100));
      shadow.places.push_back(static_cast<int32_t>(entry % 100));
      keep.push_back(entry % step == 1);
    }
    shadow.values = at::arange(2 * kEntries, at::kFloat).view({kEntries, 2});
    keep_entries(shadow, keep);
    int64_t at = 0;
    for (int64_t entry = 1; entry < kEntries; entry += step, ++at) {
      REQUIRE(at < shadow.size());
      REQUIRE(shadow.trials[static_cast<size_t>(at)] == entry / 100);
      REQUIRE(shadow.places[static_cast<size_t>(at)] == entry % 100);
      REQUIRE(shadow.values[at][1].item<float>() == static_cast<float>(2 * entry + 1));
    }
    CHECK(at == shadow.size());
    CHECK(shadow.values.size(0) == at);
  }
}

/// Trial 2 has value 100 at [0, 1, 0, 1], trial 5 has 200 at [0, 0, 1, 1] and 300 at [0, 1, 1, 1].
Shadow example() {
  PointList points;
  points.add(2, 5, 100);
  points.add(5, 3, 200);
  points.add(5, 7, 300);
  return points.take();
}

at::Tensor golden() {
  return torch::arange(8, torch::kFloat).view({1, 2, 2, 2});
}

TEST_CASE("rows and points tell the same") {
  const Shadow points = example();
  const Shadow rows = to_rows(points, golden(), 1);
  CHECK(rows.trials == Indices{2, 5});
  CHECK(rows.places == Indices{1, 3});
  CHECK(at::equal(rows.values, torch::tensor({{1.f, 100.f}, {200.f, 300.f}})));

  const Shadow back = to_points(rows, golden());
  CHECK(back.trials == points.trials);
  CHECK(back.places == points.places);
  CHECK(at::equal(back.values, points.values));

  const Shadow along_width = to_rows(rows, golden(), 3);
  CHECK(along_width.trials == Indices{2, 5, 5});
  CHECK(along_width.places == Indices{2, 1, 3});
  CHECK(at::equal(along_width.values, torch::tensor({{4.f, 100.f}, {2.f, 200.f}, {6.f, 300.f}})));
}

TEST_CASE("materialise writes a trial's values into a copy") {
  const Shadow rows = to_rows(example(), golden(), 1);
  const std::vector<Segment> parts = segments(rows);
  REQUIRE(parts.size() == 2);
  const at::Tensor before = golden();
  const at::Tensor faulty = materialise(rows, parts[1], before);
  CHECK(at::equal(faulty.flatten(), torch::tensor({0.f, 1.f, 2.f, 200.f, 4.f, 5.f, 6.f, 300.f})));
  CHECK(at::equal(before, golden()));
}

TEST_CASE("entries that equal the golden tensor are dropped, by bits") {
  PointList points;
  points.add(0, 0, -0.0f);  // golden is +0
  points.add(0, 3, 3);
  points.add(1, 4, 4);
  Shadow shadow = points.take();
  drop_golden(shadow, golden());
  CHECK(shadow.trials == Indices{0});
  CHECK(shadow.places == Indices{0});
}

TEST_CASE("merge keeps the order of trials and takes rows where one side has them") {
  PointList points;
  points.add(3, 0, 50);
  const Shadow merged = merge(to_rows(example(), golden(), 1), points.take(), golden());
  CHECK(merged.form.axis == 1);
  CHECK(merged.trials == Indices{2, 3, 5});
  CHECK(merged.places == Indices{1, 0, 3});
  CHECK(at::equal(merged.values, torch::tensor({{1.f, 100.f}, {50.f, 4.f}, {200.f, 300.f}})));
}

TEST_CASE("overlay lets the later shadow win where it differs") {
  PointList points;
  points.add(2, 1, 60);  // the row that trial 2 has already, another channel
  points.add(4, 0, 70);
  const Shadow both = overlay(to_rows(example(), golden(), 1), to_rows(points.take(), golden(), 1), golden());
  CHECK(both.trials == Indices{2, 4, 5});
  CHECK(at::equal(both.values, torch::tensor({{60.f, 100.f}, {70.f, 4.f}, {200.f, 300.f}})));
}

TEST_CASE("select_trials leaves the others out") {
  const Shadow selected = select_trials(example(), {1, 1, 0, 1, 1, 1});
  CHECK(selected.trials == Indices{5, 5});
  CHECK(at::equal(selected.values, torch::tensor({200.f, 300.f})));
}

}  // namespace
}  // namespace faultwave::wave
