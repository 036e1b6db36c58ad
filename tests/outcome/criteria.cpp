// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

const at::Tensor ten = scores({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});  // best 9, then 8, 7, 6, 5

at::Tensor changed(const at::Tensor& tensor, int64_t index, float value) {
  at::Tensor copy = tensor.clone();
  copy[index] = value;
  return copy;
}

TEST_CASE("top1 fires when another class is best") {
  CHECK_FALSE(fires("top1", ten, ten));
  CHECK_FALSE(fires("top1", ten, changed(ten, 9, 8.5)));
  CHECK_FALSE(fires("top1", ten, changed(ten, 2, -1e30)));
  CHECK(fires("top1", ten, changed(ten, 9, 7.5)));
  CHECK(fires("top1", ten, changed(ten, 0, 9.5)));
  CHECK(fires("top1", ten, changed(ten, 0, infinity)));
  CHECK(fires("top1", ten, changed(ten, 9, -infinity)));
}

TEST_CASE("of equal scores the lower index is best") {
  CHECK(fires("top1", ten, changed(ten, 3, 9)));  // 3 ties with 9 and comes first
  CHECK_FALSE(fires("top1", scores({5, 1, 2}), scores({5, 5, 5})));
}

TEST_CASE("a NaN is never best") {
  CHECK_FALSE(fires("top1", ten, changed(ten, 3, nan_value)));
  CHECK_FALSE(fires("top1", ten, changed(ten, 0, nan_value)));
  CHECK(fires("top1", ten, changed(ten, 9, nan_value)));
  const at::Tensor nothing = at::full({10}, nan_value);
  CHECK(fires("top1", ten, nothing));
  CHECK(fires("top1", nothing, ten));
  CHECK_FALSE(fires("top1", nothing, nothing));
}

TEST_CASE("top5 fires when the best class was not among the golden five") {
  CHECK_FALSE(fires("top5", ten, ten));
  CHECK_FALSE(fires("top5", ten, changed(ten, 5, 100)));  // 5 was fifth
  CHECK(fires("top5", ten, changed(ten, 4, 100)));        // 4 was sixth
  CHECK(fires("top5", ten, changed(ten, 0, infinity)));
}

TEST_CASE("top5 breaks ties by index") {
  const at::Tensor golden = scores({1, 1, 1, 1, 1, 1, 1});  // order 0, 1, 2, 3, 4 | 5, 6
  CHECK_FALSE(fires("top5", golden, changed(golden, 4, 2)));
  CHECK(fires("top5", golden, changed(golden, 5, 2)));
}

TEST_CASE("top5 and NaN") {
  const at::Tensor nothing = at::full({10}, nan_value);
  CHECK(fires("top5", ten, nothing));
  CHECK(fires("top5", nothing, ten));
  CHECK_FALSE(fires("top5", nothing, nothing));
  const at::Tensor three = scores({1, nan_value, 3});
  CHECK_FALSE(fires("top5", three, scores({9, 0, 0})));
  CHECK(fires("top5", three, scores({0, 9, 0})));  // 1 had no rank in the golden output
}

TEST_CASE("confidence compares the probability of the golden best class") {
  // Softmax of (ln 3, 0) is (0.75, 0.25); of (0, 0) it is (0.5, 0.5); of (ln 9, 0) it is (0.9, 0.1).
  const at::Tensor golden = at::tensor({std::log(3.0), 0.0});
  const at::Tensor even = at::tensor({0.0, 0.0});
  const at::Tensor sure = at::tensor({std::log(9.0), 0.0});
  CHECK(fires("confidence(0.24)", golden, even));
  CHECK_FALSE(fires("confidence(0.26)", golden, even));
  CHECK(fires("confidence(0.14)", golden, sure));
  CHECK_FALSE(fires("confidence(0.16)", golden, sure));
  CHECK_FALSE(fires("confidence(0)", golden, golden));
  CHECK(fires("confidence(0)", golden, sure));
}

TEST_CASE("confidence takes infinite scores as a limit and NaN as a change") {
  const at::Tensor golden = at::tensor({std::log(3.0), 0.0});
  CHECK(fires("confidence(0.2)", golden, at::tensor({0.0, HUGE_VAL})));         // 0.75 -> 0
  CHECK_FALSE(fires("confidence(0.3)", golden, at::tensor({HUGE_VAL, 0.0})));   // 0.75 -> 1
  CHECK(fires("confidence(0.2)", golden, at::tensor({HUGE_VAL, HUGE_VAL})));    // 0.75 -> 0.5
  CHECK(fires("confidence(0.2)", golden, at::tensor({-HUGE_VAL, -HUGE_VAL})));  // 0.75 -> 0.5
  const at::Tensor broken = at::tensor({5.0, std::nan("")});
  CHECK(fires("confidence(0.99)", golden, broken));
  CHECK(fires("confidence(0.99)", broken, golden));
  CHECK_FALSE(fires("confidence(0)", broken, broken));
}

TEST_CASE("drop counts a fall only") {
  // 0.75 falls to 0.5, or rises to 0.9.
  const at::Tensor golden = at::tensor({std::log(3.0), 0.0});
  const at::Tensor even = at::tensor({0.0, 0.0});
  const at::Tensor sure = at::tensor({std::log(9.0), 0.0});
  CHECK(fires("drop(0.24)", golden, even));
  CHECK_FALSE(fires("drop(0.26)", golden, even));
  CHECK_FALSE(fires("drop(0)", golden, sure));
  CHECK(fires("drop(0.3)", sure, even));
  CHECK_FALSE(fires("drop(0)", golden, golden));
  const at::Tensor broken = at::tensor({5.0, std::nan("")});
  CHECK(fires("drop(0.99)", golden, broken));
  CHECK_FALSE(fires("drop(0)", broken, golden));
  CHECK_FALSE(fires("drop(0)", broken, broken));
  CHECK(fires("drop(0.7)", golden, at::tensor({0.0, HUGE_VAL})));
  CHECK_FALSE(fires("drop(0)", golden, scores({1})));  // fewer classes: the best one is left, with 0.75 -> 1
  CHECK(fires("drop(0.99)", at::tensor({0.0, 1.0}), scores({1})));  // the best class is gone
}

/// The probability of class `index` as its definition says, beside the library's own sums.
double softmax_at(const at::Tensor& scores, int64_t index) {
  return at::softmax(scores.to(at::kDouble), 0)[index].item<double>();
}

TEST_CASE("what spares exponentials changes no verdict") {
  at::manual_seed(5);
  int fired = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const at::Tensor golden = at::randn({12}) * 2;
    const at::Tensor faulty = golden + at::randn({12}) * (trial % 10 * 0.2) + (trial % 3 - 1) * 1000;
    const int64_t best = golden.argmax().item<int64_t>();
    const double change = softmax_at(faulty, best) - softmax_at(golden, best);
    for (const double most : {0.001, 0.05, 0.2, 0.5}) {
      if (std::abs(std::abs(change) - most) < 1e-12) continue;  // within rounding
      CHECK(fires("confidence(" + std::to_string(most) + ")", golden, faulty) == (std::abs(change) > most));
      CHECK(fires("drop(" + std::to_string(most) + ")", golden, faulty) == (-change > most));
      fired += std::abs(change) > most ? 1 : 0;
    }
  }
  CHECK(fired > 1000);
  CHECK(fired < 7000);
}

TEST_CASE("log odds that move as far as they can are told from those that move further") {
  // From 1/2 - t to 1/2 + t with t = tanh(d / 4) / 2: scores (-d/2, 0) to (d/2, 0) move by tanh(d / 4).
  const double d = 1.0;
  const at::Tensor golden = at::tensor({0.0, d / 2});
  const at::Tensor faulty = at::tensor({0.0, -d / 2});  // of the golden best class, 1
  const double change = std::tanh(d / 4);
  CHECK(fires("confidence(" + std::to_string(change - 1e-5) + ")", golden, faulty));
  CHECK_FALSE(fires("confidence(" + std::to_string(change + 1e-5) + ")", golden, faulty));
}

TEST_CASE("confidence does not overflow") {
  const at::Tensor golden = scores({3e38F, 0, -3e38F});
  CHECK_FALSE(fires("confidence(0)", golden, golden));
  CHECK_FALSE(fires("confidence(0)", golden, scores({3e38F, 1e38F, 0})));
  CHECK(fires("confidence(0.9)", golden, scores({1e38F, 3e38F, 0})));
}

TEST_CASE("nonfinite fires where the golden value was finite") {
  CHECK_FALSE(fires("nonfinite", ten, ten));
  CHECK_FALSE(fires("nonfinite", ten, changed(ten, 4, 3.4e38F)));
  for (const float value : {infinity, -infinity, nan_value, -nan_value}) {
    CHECK(fires("nonfinite", ten, changed(ten, 4, value)));
  }
  const at::Tensor masked_out = changed(ten, 0, -infinity);
  CHECK_FALSE(fires("nonfinite", masked_out, changed(masked_out, 0, nan_value)));
  CHECK(fires("nonfinite", masked_out, changed(masked_out, 9, nan_value)));
}

TEST_CASE("nonfinite looks at every output") {
  const auto criterion = parse_criterion("nonfinite");
  const std::vector<at::Tensor> golden = {ten, at::zeros({2, 3})};
  std::vector<at::Tensor> faulty = {ten, at::zeros({2, 3})};
  CHECK_FALSE(criterion->fires({golden, faulty}));
  faulty[1][1][2] = nan_value;
  CHECK(criterion->fires({golden, faulty}));
  faulty[1] = at::full({4}, infinity);  // another shape: the golden output counts as a whole
  CHECK(criterion->fires({golden, faulty}));
  faulty[1] = at::zeros({4});
  CHECK_FALSE(criterion->fires({golden, faulty}));
  faulty.push_back(at::full({1}, nan_value));  // one output too many
  CHECK(criterion->fires({golden, faulty}));
}

TEST_CASE("every floating-point type works") {
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kFloat8_e5m2}) {
    CAPTURE(c10::toString(type));
    const at::Tensor golden = scores({1, 8, 4}).to(type);
    CHECK_FALSE(fires("top1", golden, golden));
    CHECK(fires("top1", golden, scores({1, 8, 16}).to(type)));
    CHECK_FALSE(fires("nonfinite", golden, golden));
    CHECK(fires("nonfinite", golden, scores({1, 8, infinity}).to(type)));
    CHECK(fires("confidence(0.5)", golden, scores({8, 1, 4}).to(type)));
  }
  // FP8 E4M3 has no Inf, and NaN is its largest code.
  const at::Tensor golden = scores({1, 8, 4}).to(at::kFloat8_e4m3fn);
  CHECK_FALSE(fires("nonfinite", golden, scores({1, 448, 4}).to(at::kFloat8_e4m3fn)));
  CHECK(fires("nonfinite", golden, scores({1, nan_value, 4}).to(at::kFloat8_e4m3fn)));
}

TEST_CASE("integers and bools have a best class and are always finite") {
  for (const at::ScalarType type : {at::kLong, at::kInt, at::kShort, at::kChar, at::kByte, at::kUInt16,
                                    at::kUInt32, at::kUInt64, at::kBool}) {
    CAPTURE(c10::toString(type));
    const at::Tensor golden = scores({0, 1, 0}).to(type);
    const at::Tensor faulty = scores({1, 0, 0}).to(type);
    CHECK_FALSE(fires("top1", golden, golden));
    CHECK(fires("top1", golden, faulty));
    CHECK_FALSE(fires("top5", golden, faulty));
    CHECK_FALSE(fires("nonfinite", golden, faulty));
  }
  // Exact beyond 2^53: the two differ in the last bit only.
  constexpr int64_t large = int64_t{1} << 60;
  CHECK(fires("top1", at::tensor({large, large + 1}), at::tensor({large + 1, large})));
}

TEST_CASE("quantised scores rank by their stored integers") {
  const auto quantised = [](std::vector<float> values) {
    return at::quantize_per_tensor(at::tensor(values), 0.5, 3, at::kQUInt8);
  };
  CHECK(fires("top1", quantised({1, 2, 0}), quantised({2, 1, 0})));
  CHECK_FALSE(fires("nonfinite", quantised({1, 2, 0}), quantised({2, 1, 0})));
}

TEST_CASE("views are read as what they show") {
  const at::Tensor pairs = at::stack({ten, ten.flip(0)}, 1);  // [10, 2], columns not contiguous
  CHECK(fires("top1", pairs.select(1, 0), pairs.select(1, 1)));
  CHECK_FALSE(fires("top1", pairs.select(1, 0), ten));
  CHECK_FALSE(fires("top1", ten.view({10, 1, 1}), ten));
}

TEST_CASE("scores must be a vector of numbers") {
  const at::Tensor map = at::zeros({3, 4});
  for (const char* criterion :
       {"top1", "top5", "topk(2)", "label_topk(2)", "ranking(2)", "confidence(0.1)", "drop(0.1)"}) {
    const std::string message = message_of(ErrorCode::bad_input, [&] { fires(criterion, map, map); });
    CHECK(contains(message, "[classes]"));
    CHECK(contains(message, "Float [3, 4]"));
    CHECK_THROWS_AS(fires(criterion, at::empty({0}), at::empty({0})), UserError);
    const at::Tensor complex = at::zeros({3}, at::kComplexFloat);
    CHECK_THROWS_AS(fires(criterion, complex, complex), UserError);
    const std::vector<at::Tensor> none;
    CHECK(contains(message_of(ErrorCode::bad_input, [&] { parse_criterion(criterion)->fires({none, none}); }),
                   "no outputs"));
  }
  const at::Tensor integers = at::zeros({3}, at::kLong);
  CHECK(contains(message_of(ErrorCode::bad_input, [&] { fires("confidence(0.1)", integers, integers); }),
                 "floating-point"));
  CHECK_FALSE(fires("nonfinite", map, map));
}

TEST_CASE("nonfinite reads both parts of a complex number") {
  const at::Tensor golden = at::zeros({2}, at::kComplexFloat);
  at::Tensor faulty = golden.clone();
  at::view_as_real(faulty)[1][1] = infinity;
  CHECK(fires("nonfinite", golden, faulty));
  CHECK_FALSE(fires("nonfinite", golden, golden));
}

}  // namespace
}  // namespace faultwave
