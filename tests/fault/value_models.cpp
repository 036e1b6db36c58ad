// SPDX-License-Identifier: Apache-2.0
// Models that compute a value: zero, constant, random, noise, scale.
#include <cmath>

#include "faultwave/random.h"

#include "tests/fault/support.h"

namespace faultwave {

using test::apply_to_floats;
using test::apply_to_words;
using test::kInfinity;
using test::refusal;
using test::Words;

TEST_CASE("zero is +0 in every type") {
  for (at::ScalarType dtype :
       {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kFloat8_e4m3fn, at::kFloat8_e5m2,
        at::kFloat8_e4m3fnuz, at::kFloat8_e5m2fnuz, at::kChar, at::kByte, at::kShort, at::kInt, at::kLong,
        at::kUInt16, at::kUInt32, at::kUInt64}) {
    CAPTURE(dtype);
    CHECK(apply_to_words(zero(), dtype, {0x81, 0x00}) == Words{0, 0});
  }
  CHECK(apply_to_words(zero(), at::kBool, {1, 0}) == Words{0, 0});
  CHECK(zero()->text() == "zero");
  CHECK_FALSE(zero()->is_drawn());
  CHECK(zero()->gradient() == 0.0);
}

TEST_CASE("constant: hand-worked words") {
  CHECK(apply_to_words(constant(10000), at::kFloat, {0, 1}) == Words{0x461C4000, 0x461C4000});
  CHECK(apply_to_words(constant(1.5), at::kDouble, {0}) == Words{0x3FF8000000000000});
  CHECK(apply_to_words(constant(-2), at::kHalf, {0}) == Words{0xC000});
  CHECK(apply_to_words(constant(0.1), at::kBFloat16, {0}) == Words{0x3DCD});
  CHECK(apply_to_words(constant(448), at::kFloat8_e4m3fn, {0}) == Words{0x7E});
  CHECK(apply_to_words(constant(-1), at::kFloat8_e5m2, {0}) == Words{0xBC});
  CHECK(apply_to_words(constant(-128), at::kChar, {0}) == Words{0x80});
  CHECK(apply_to_words(constant(255), at::kByte, {0}) == Words{0xFF});
  CHECK(apply_to_words(constant(-2), at::kLong, {0}) == Words{0xFFFFFFFFFFFFFFFE});
  CHECK(apply_to_words(constant(1), at::kBool, {0}) == Words{1});
}

TEST_CASE("constant: infinities, NaN, negative zero") {
  CHECK(apply_to_words(constant(kInfinity), at::kHalf, {0}) == Words{0x7C00});
  CHECK(apply_to_words(constant(-kInfinity), at::kFloat, {0}) == Words{0xFF800000});
  CHECK(apply_to_words(constant(NAN), at::kFloat, {0}) == Words{0x7FC00000});
  CHECK(apply_to_words(constant(NAN), at::kFloat8_e4m3fn, {0}) == Words{0x7F});
  CHECK(apply_to_words(constant(-0.0), at::kFloat, {0}) == Words{0x80000000});
  CHECK(constant(-0.0)->text() == "constant(-0)");
  CHECK(constant(-NAN)->text() == "constant(nan)");
}

TEST_CASE("constant: what a type cannot hold is refused") {
  CHECK(refusal(constant(1e6), at::kHalf) ==
        "constant(1e+06) cannot hit FP16 values at site conv1: 1e+06 is outside the range -65504 to 65504; "
        "write "
        "inf or -inf if that is meant");
  CHECK_HOLDS(refusal(constant(500), at::kFloat8_e4m3fn), "500 is outside the range -448 to 448");
  CHECK_HOLDS(refusal(constant(kInfinity), at::kFloat8_e4m3fn), "the type has no infinity");
  CHECK_HOLDS(refusal(constant(128), at::kChar), "128 is no whole number from -128 to 127");
  CHECK_HOLDS(refusal(constant(1.5), at::kInt), "1.5 is no whole number from -2147483648 to 2147483647");
  CHECK_HOLDS(refusal(constant(NAN), at::kByte), "nan is no whole number from 0 to 255");
  CHECK_HOLDS(refusal(constant(2), at::kBool), "2 is no whole number from 0 to 1");
}

TEST_CASE("random: pinned values, one draw a victim") {
  // Key 8841: uniforms 0.6546158132567875, 0.4179541627147716, 0.9864763652011571.
  const std::vector<float> values = apply_to_floats(random_value(-1, 1), {7, 8, 9}, 8841);
  CHECK(values == std::vector<float>{0.30923162651357505f, -0.1640916745704568f, 0.9729527304023142f});
  CHECK(random_value(-1, 1)->is_drawn());
  CHECK(random_value(-1, 1)->text() == "random(-1,1)");
  Draw draw(1);
  CHECK(random_value(-1, 1)->resolve({}, draw) == nullptr);
}

TEST_CASE("random: integers take both ends, uniformly") {
  // Modulo 7, key 8841 draws 2, 4, 2, 1, 5, 6.
  CHECK(apply_to_words(random_value(-3, 3), at::kChar, {0, 0, 0, 0, 0, 0}, 8841) ==
        Words{0xFF, 0x01, 0xFF, 0xFE, 0x02, 0x03});
  // Modulo 256, all of a word: 183, 27, 137; the lowest value is -128.
  CHECK(apply_to_words(random_value(-128, 127), at::kChar, {0, 0, 0}, 8841) ==
        Words{183 - 128, (27 - 128) & 0xFF, 137 - 128});
  CHECK(apply_to_words(random_value(0, 255), at::kByte, {0, 0, 0}, 8841) == Words{183, 27, 137});
  // 0x..b7, 0x..1b, 0x..89 are odd.
  CHECK(apply_to_words(random_value(0, 1), at::kBool, {0, 0, 0}, 8841) == Words{1, 1, 1});
  // The whole first word, moved down by 2^63: the highest double below 2^63 leaves 2^64 - 1023 values.
  CHECK(apply_to_words(random_value(-9223372036854775808.0, 9223372036854774784.0), at::kLong, {0}, 8841) ==
        Words{0xa794e6e561e16eb7 % 0xFFFFFFFFFFFFFC01 + 0x8000000000000000});

  std::vector<int> counts(5, 0);
  for (uint64_t word : apply_to_words(random_value(0, 4), at::kInt, Words(5000, 0), 77))
    ++counts.at(word);
  for (int count : counts)
    CHECK(std::abs(count - 1000) < 150);  // five standard deviations of 28
}

TEST_CASE("random: mean and spread over many victims") {
  // Uniform on [2, 4): mean 3, variance 1/3; 20,000 draws have standard errors of 0.0041 and 0.0021.
  double sum = 0, squares = 0;
  for (float value : apply_to_floats(random_value(2, 4), std::vector<float>(20000), 11)) {
    CHECK_UNARY(value >= 2.0f && value < 4.0f);
    sum += value;
    squares += (value - 3.0) * (value - 3.0);
  }
  CHECK(std::fabs(sum / 20000 - 3.0) < 0.02);
  CHECK(std::fabs(squares / 20000 - 1.0 / 3) < 0.011);
}

TEST_CASE("random: refusals") {
  CHECK_HOLDS(refusal(random_value(-1, 1), at::kByte), "-1 is no whole number from 0 to 255");
  CHECK_HOLDS(refusal(random_value(0, 128), at::kChar), "128 is no whole number from -128 to 127");
  CHECK_HOLDS(refusal(random_value(0, 0.5), at::kInt), "0.5 is no whole number");
  CHECK_HOLDS(refusal(random_value(0, 1e5), at::kHalf), "1e+05 is outside the range -65504 to 65504");
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {1, 1}, {2, 1}, {NAN, 1}, {0, kInfinity}, {-1.7e308, 1.7e308}}) {
    CHECK_HOLDS(error_of(ErrorCode::usage, [&] { random_value(low, high); }), "low below high");
  }
}

TEST_CASE("noise: value + sigma * N(0, 1)") {
  // Key 8841: normals -1.2686497874612426 and 1.9631242434602525.
  const std::vector<float> values = apply_to_floats(gaussian_noise(0.5), {10, -10}, 8841);
  CHECK(values[0] == doctest::Approx(10 - 0.6343248937306213).epsilon(1e-7));
  CHECK(values[1] == doctest::Approx(-10 + 0.9815621217301263).epsilon(1e-7));
  // -12.69 and 19.63 round to -13 and 20; both ends saturate.
  CHECK(apply_to_words(gaussian_noise(10), at::kChar, {0, 0}, 8841) == Words{0xF3, 20});
  CHECK(apply_to_words(gaussian_noise(10), at::kByte, {5, 250}, 8841) == Words{0, 255});
  // 65504 - 1.27e6 and 65504 + 1.96e6 are beyond FP16.
  CHECK(apply_to_words(gaussian_noise(1e6), at::kHalf, {0x7BFF, 0x7BFF}, 8841) == Words{0xFC00, 0x7C00});
  CHECK(gaussian_noise(0.1)->gradient() == 1.0);
  CHECK(gaussian_noise(0.1)->is_drawn());
  CHECK(apply_to_words(gaussian_noise(0), at::kFloat, {0x3F800000}, 1) == Words{0x3F800000});
}

TEST_CASE("noise: mean and spread over many victims") {
  double sum = 0, squares = 0;
  for (float value : apply_to_floats(gaussian_noise(2), std::vector<float>(20000, 1.0f), 5)) {
    sum += value - 1.0;
    squares += (value - 1.0) * (value - 1.0);
  }
  CHECK(std::fabs(sum / 20000) < 0.071);          // five standard errors of 2 / sqrt(20000)
  CHECK(std::fabs(squares / 20000 - 4.0) < 0.2);  // five of 4 * sqrt(2 / 20000)
}

TEST_CASE("scale: value * factor, rounded to even") {
  CHECK(apply_to_floats(scale_by(2), {1.5f, -3.0f}) == std::vector<float>{3.0f, -6.0f});
  CHECK(apply_to_words(scale_by(0.5), at::kChar, {5, 7, 0xFB}) == Words{2, 4, 0xFE});  // 2.5, 3.5, -2.5
  CHECK(apply_to_words(scale_by(2), at::kChar, {100, 0x9C}) == Words{0x7F, 0x80});  // 200 and -200 saturate
  CHECK(apply_to_words(scale_by(-1), at::kByte, {9}) == Words{0});
  CHECK(apply_to_words(scale_by(2), at::kHalf, {0x7BFF}) == Words{0x7C00});
  CHECK(apply_to_words(scale_by(2), at::kFloat8_e4m3fn, {0x7E}) == Words{0x7E});  // no infinity: stays 448
  CHECK(apply_to_words(scale_by(0), at::kFloat, {0xBF800000}) == Words{0x80000000});
  CHECK(scale_by(-2.5)->gradient() == -2.5);
  CHECK_FALSE(scale_by(2)->is_drawn());
}

TEST_CASE("noise and scale: refusals") {
  CHECK_HOLDS(refusal(gaussian_noise(1), at::kBool), "it does arithmetic; use flip");
  CHECK_HOLDS(refusal(scale_by(2), at::kBool), "it does arithmetic; use flip");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { gaussian_noise(-1); }), "at least 0, not -1");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { gaussian_noise(NAN); }), "at least 0, not nan");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { scale_by(kInfinity); }), "a finite factor, not inf");
}

}  // namespace faultwave
