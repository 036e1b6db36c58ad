// SPDX-License-Identifier: Apache-2.0
#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

const at::Tensor golden_map = at::arange(12, at::kFloat).view({3, 4});

at::Tensor with(const at::Tensor& tensor, int64_t position, float value) {
  at::Tensor copy = tensor.clone();
  copy.view(-1)[position] = value;
  return copy;
}

TEST_CASE("differs fires when an element moves by more than x, either way") {
  CHECK_FALSE(fires("differs(0)", golden_map, golden_map));
  CHECK_FALSE(fires("differs(0.5)", golden_map, with(golden_map, 11, 11.5)));
  CHECK(fires("differs(0.5)", golden_map, with(golden_map, 11, 11.75)));
  CHECK(fires("differs(0.5)", golden_map, with(golden_map, 0, -0.75)));
  CHECK(fires("differs(0)", golden_map, with(golden_map, 5, 5.000001F)));
}

TEST_CASE("differs looks at every output") {
  const std::vector<at::Tensor> golden = {golden_map, scores({1, 2})};
  CHECK_FALSE(fires("differs(0.1)", golden, golden));
  CHECK(fires("differs(0.1)", golden, {golden_map, scores({1, 3})}));
  CHECK(fires("differs(100)", golden, {golden_map}));
  CHECK(fires("differs(100)", {golden_map}, golden));
  const std::vector<at::Tensor> none;
  CHECK_FALSE(fires("differs(0)", none, none));
}

TEST_CASE("another shape or type differs, whatever the values") {
  CHECK(fires("differs(100)", golden_map, golden_map.view({4, 3})));
  CHECK(fires("differs(100)", golden_map, golden_map.to(at::kDouble)));
  CHECK_FALSE(fires("differs(0)", at::empty({0, 4}), at::empty({0, 4})));
}

TEST_CASE("NaN differs from a number, and Inf from all but itself") {
  for (const char* criterion : {"differs(1e+30)", "differs_relative(1e+30)"}) {
    CAPTURE(criterion);
    const at::Tensor one = scores({1});
    const at::Tensor nan = scores({nan_value});
    const at::Tensor inf = scores({infinity});
    CHECK(fires(criterion, one, nan));
    CHECK(fires(criterion, nan, one));
    CHECK_FALSE(fires(criterion, nan, nan));
    CHECK(fires(criterion, one, inf));
    CHECK(fires(criterion, inf, one));
    CHECK(fires(criterion, inf, -inf));
    CHECK_FALSE(fires(criterion, inf, inf));
    CHECK(fires(criterion, inf, nan));
  }
}

TEST_CASE("zeros of either sign are equal") {
  CHECK_FALSE(fires("differs(0)", scores({0.0F}), scores({-0.0F})));
  CHECK_FALSE(fires("differs_relative(0)", scores({0.0F}), scores({-0.0F})));
}

TEST_CASE("differs_relative measures by the golden value") {
  CHECK_FALSE(fires("differs_relative(0.5)", scores({4}), scores({6})));
  CHECK(fires("differs_relative(0.5)", scores({4}), scores({6.5})));
  CHECK(fires("differs_relative(0.5)", scores({-4}), scores({-1.5})));
  CHECK_FALSE(fires("differs_relative(0.5)", scores({-4}), scores({-2})));
  CHECK(fires("differs_relative(1000)", scores({0}), scores({1e-30F})));  // nothing is small beside 0
}

TEST_CASE("integers differ exactly") {
  constexpr int64_t large = int64_t{1} << 60;
  CHECK(fires("differs(0)", at::tensor({large}), at::tensor({large + 1})));
  CHECK_FALSE(fires("differs(1)", at::tensor({large}), at::tensor({large + 1})));
  CHECK(fires("differs(1.9)", at::tensor({large}), at::tensor({large - 2})));
  constexpr int64_t lowest = std::numeric_limits<int64_t>::min();
  constexpr int64_t highest = std::numeric_limits<int64_t>::max();
  CHECK(fires("differs(1e19)", at::tensor({lowest}), at::tensor({highest})));  // 1.8e19 apart
  CHECK_FALSE(fires("differs(1.9e19)", at::tensor({lowest}), at::tensor({highest})));
  CHECK(fires("differs_relative(0)", at::tensor({large}), at::tensor({large + 1})));
  CHECK_FALSE(fires("differs_relative(0.5)", at::tensor({4}), at::tensor({2})));
  CHECK(fires("differs_relative(0.4)", at::tensor({4}), at::tensor({2})));
  CHECK(fires("differs(0.5)", scores({1}).to(at::kBool), scores({0}).to(at::kBool)));
}

TEST_CASE("every type works, quantised outputs by their stored integers, complex ones by their parts") {
  for (const at::ScalarType type : {at::kDouble, at::kHalf, at::kBFloat16, at::kFloat8_e5m2, at::kByte}) {
    CAPTURE(c10::toString(type));
    CHECK(fires("differs(3)", scores({1, 8}).to(type), scores({1, 4}).to(type)));
    CHECK_FALSE(fires("differs(4)", scores({1, 8}).to(type), scores({1, 4}).to(type)));
  }
  const auto quantised = [](float value) {
    return at::quantize_per_tensor(at::tensor({value}), 0.5, 3, at::kQUInt8);
  };
  CHECK(fires("differs(1)", quantised(1), quantised(2)));  // 5 and 7
  CHECK_FALSE(fires("differs(2)", quantised(1), quantised(2)));
  const at::Tensor zero = at::zeros({1}, at::kComplexFloat);
  const at::Tensor both = at::complex(scores({3}), scores({4}));  // 5 away, by 3 and by 4
  CHECK_FALSE(fires("differs(4)", zero, both));
  CHECK(fires("differs(3.5)", zero, both));
}

}  // namespace
}  // namespace faultwave
