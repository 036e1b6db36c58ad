// SPDX-License-Identifier: Apache-2.0
// Where rounding could turn a verdict.
#include <functional>

#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

constexpr double kRounding = 0x1p-17;

using Outputs = std::vector<at::Tensor>;

bool is_near(const std::string& criterion, const at::Tensor& golden, const at::Tensor& faulty,
             std::optional<int64_t> label = std::nullopt) {
  const Outputs before = {golden};
  const Outputs after = {faulty};
  return parse_criterion(criterion)->is_near_border({before, after, label}, kRounding);
}

bool fires(const std::string& criterion, const at::Tensor& golden, const at::Tensor& faulty) {
  const Outputs before = {golden};
  const Outputs after = {faulty};
  return parse_criterion(criterion)->fires({before, after, 0});
}

TEST_CASE("top1 is near its border where the two best scores are") {
  const at::Tensor golden = scores({8, 4, 2});
  CHECK_FALSE(is_near("top1", golden, scores({5, 6, 2})));
  CHECK(is_near("top1", golden, scores({5, 5.00001F, 2})));
  CHECK(is_near("top1", golden, scores({5, 5, 2})));
  CHECK_FALSE(is_near("top1", golden, scores({5, 3, 3})));
  CHECK(is_near("top1", scores({8, 8.00001F, 2}), golden));
  // The larger the values, the more rounding may add.
  CHECK_FALSE(is_near("top1", golden, scores({5, 5.01F, 2})));
  CHECK(is_near("top1", golden, scores({5, 5.01F, -1e4F})));
  CHECK_FALSE(is_near("top1", golden, scores({nan_value, 5, 2})));
  CHECK_FALSE(is_near("top1", golden, scores({infinity, infinity, 2})));
}

TEST_CASE("criteria of ranks are near their border where neighbours at their rank are") {
  const at::Tensor golden = scores({8, 7, 6, 5});
  const at::Tensor tied_at_2 = scores({8, 7, 7.00001F, 5});
  CHECK(is_near("topk(2)", golden, tied_at_2));
  CHECK_FALSE(is_near("topk(3)", golden, tied_at_2));
  CHECK(is_near("label_topk(2)", golden, tied_at_2, 1));
  CHECK_FALSE(is_near("label_topk(1)", golden, tied_at_2, 1));
  CHECK(is_near("ranking(3)", golden, tied_at_2));
  CHECK_FALSE(is_near("ranking(1)", golden, tied_at_2));
  CHECK_FALSE(is_near("top5", golden, tied_at_2));
  CHECK(is_near("top5", golden, scores({8, 8.00001F, 3, 2})));
}

TEST_CASE("values near a limit are near the border of what asks for it") {
  const at::Tensor golden = scores({1, 2});
  CHECK(is_near("differs(0.5)", golden, scores({1, 2.5F})));
  CHECK(is_near("differs(0.5)", golden, scores({1, 2.50001F})));
  CHECK_FALSE(is_near("differs(0.5)", golden, scores({1, 2.51F})));
  CHECK_FALSE(is_near("differs(0.5)", golden, scores({1, 2.49F})));
  // Another value decides it.
  CHECK_FALSE(is_near("differs(0.5)", golden, scores({3, 2.5F})));
  CHECK(is_near("differs(0)", golden, golden));
  CHECK(is_near("differs_relative(0.25)", golden, scores({1, 2.50001F})));
  CHECK_FALSE(is_near("differs_relative(0.25)", golden, scores({1, 2.51F})));
}

TEST_CASE("a border lies wherever a step of rounding turns the verdict") {
  const at::Tensor golden = scores({2, 1, 0});
  for (const std::string criterion : {"confidence(0.2)", "drop(0.2)", "differs(0.5)", "top1"}) {
    CAPTURE(criterion);
    int turned = 0;
    float last = 2;
    for (int step = 1; step <= 400'000; ++step) {
      const float score = 2 - static_cast<float>(step) * 5e-6F;
      const bool turns =
          fires(criterion, golden, scores({last, 1, 0})) != fires(criterion, golden, scores({score, 1, 0}));
      last = score;
      if (!turns) continue;
      ++turned;
      CHECK(is_near(criterion, golden, scores({score, 1, 0})));
      CHECK_FALSE(is_near(criterion, golden, scores({score + 0.01F, 1, 0})));
      CHECK_FALSE(is_near(criterion, golden, scores({score - 0.01F, 1, 0})));
    }
    CHECK(turned == 1);
  }
}

TEST_CASE("an outcome is near a border where masked and benign meet, or values overflow") {
  const std::vector<CriterionPtr> criteria = {parse_criterion("nonfinite")};
  const auto is_near_any = [&](const at::Tensor& faulty) {
    const Outputs golden = {scores({8, 1})};
    const Outputs after = {faulty};
    return is_near_border({golden, after}, criteria, kRounding);
  };
  const float step = 8 * 0x1p-10F;
  CHECK_FALSE(is_near_any(scores({8, 1})));
  CHECK_FALSE(is_near_any(scores({8, 1 + 0.9F * step})));
  CHECK(is_near_any(scores({8, 1 + step})));
  CHECK(is_near_any(scores({8, 1 + 1.001F * step})));
  CHECK_FALSE(is_near_any(scores({8, 1 + 1.1F * step})));
  CHECK(is_near_any(scores({8, 3e38F})));
  CHECK_FALSE(is_near_any(scores({8, infinity})));
}

TEST_CASE("of a criterion that says nothing of borders only golden outputs are clear") {
  const CriterionPtr own = make_criterion("own", [](const OutputPair&) { return true; });
  const Outputs golden = {scores({1, 2})};
  const Outputs copy = {golden[0].clone()};
  const Outputs faulty = {scores({1, 5})};
  CHECK_FALSE(own->is_near_border({golden, copy}, kRounding));
  CHECK(own->is_near_border({golden, faulty}, kRounding));
}

}  // namespace
}  // namespace faultwave
