// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

using doctest::Approx;

std::vector<int64_t> indices(const std::vector<RankedClass>& classes) {
  std::vector<int64_t> indices;
  for (const RankedClass& ranked : classes)
    indices.push_back(ranked.index);
  return indices;
}

TEST_CASE("the best classes come first, with their probabilities") {
  // exp: 2, 8, 4, 2; sum 16.
  const auto classes =
      top_classes(at::tensor({std::log(2.0), std::log(8.0), std::log(4.0), std::log(2.0)}), 3);
  CHECK(indices(classes) == std::vector<int64_t>{1, 2, 0});
  CHECK(classes[0].probability == Approx(0.5).epsilon(1e-15));
  CHECK(classes[1].probability == Approx(0.25).epsilon(1e-15));
  CHECK(classes[2].probability == Approx(0.125).epsilon(1e-15));
}

TEST_CASE("five by default, all where there are fewer") {
  CHECK(indices(top_classes(at::arange(8))) == std::vector<int64_t>{7, 6, 5, 4, 3});
  CHECK(indices(top_classes(at::arange(2))) == std::vector<int64_t>{1, 0});
  CHECK(top_classes(at::arange(2), 0).empty());
}

TEST_CASE("NaN ranks last and leaves no probabilities") {
  const auto classes = top_classes(scores({nan_value, 1, nan_value, 3, -infinity}));
  CHECK(indices(classes) == std::vector<int64_t>{3, 1, 4, 0, 2});
  for (const RankedClass& ranked : classes)
    CHECK(std::isnan(ranked.probability));
}

TEST_CASE("infinite scores share the probability") {
  const auto classes = top_classes(scores({5, infinity, -infinity, infinity}));
  CHECK(indices(classes) == std::vector<int64_t>{1, 3, 0, 2});
  CHECK(classes[0].probability == 0.5);
  CHECK(classes[1].probability == 0.5);
  CHECK(classes[2].probability == 0.0);
  CHECK(classes[3].probability == 0.0);
  CHECK(top_classes(scores({-infinity, -infinity}), 1).front().probability == 0.5);
}

TEST_CASE("a thousand classes agree with ATen") {
  at::Tensor values = at::arange(1000, at::kDouble).mul(0.37).sin().mul(20).to(at::kHalf);
  const at::Tensor expected = at::softmax(values.to(at::kDouble), 0);
  double sum = 0;
  for (const RankedClass& ranked : top_classes(values, 1000)) {
    CHECK(ranked.probability == Approx(expected[ranked.index].item<double>()).epsilon(1e-12));
    sum += ranked.probability;
  }
  CHECK(sum == Approx(1.0).epsilon(1e-12));
}

TEST_CASE("a ranking needs scores") {
  CHECK(contains(message_of(ErrorCode::bad_input, [] { top_classes(at::zeros({2, 2})); }), "[2, 2]"));
  CHECK(contains(message_of(ErrorCode::usage, [] { top_classes(at::zeros({2}), -1); }), "-1"));
}

}  // namespace
}  // namespace faultwave
