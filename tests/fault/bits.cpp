// SPDX-License-Identifier: Apache-2.0
#include "src/fault/bits.h"

#include <torch/types.h>

#include <cmath>
#include <limits>

#include "faultwave/random.h"

#include "tests/fault/support.h"

namespace faultwave {

using test::from_words;
using test::kInfinity;
using test::to_words;
using test::Words;

namespace {

const at::ScalarType kSmallFloats[] = {at::kHalf,        at::kBFloat16,        at::kFloat8_e4m3fn,
                                       at::kFloat8_e5m2, at::kFloat8_e4m3fnuz, at::kFloat8_e5m2fnuz};

}  // namespace

TEST_CASE("names, sizes and families of the element types") {
  CHECK(type_name(at::kFloat) == "FP32");
  CHECK(type_name(at::kFloat8_e5m2fnuz) == "FP8 e5m2fnuz");
  CHECK(type_name(at::kComplexFloat) == "ComplexFloat");
  CHECK(word_bits(at::kDouble) == 64);
  CHECK(word_bits(at::kShort) == 16);
  CHECK(word_bits(at::kBool) == 1);
  CHECK(word_mask(at::kBool) == 1);
  CHECK(word_mask(at::kHalf) == 0xFFFF);
  CHECK(word_mask(at::kLong) == ~uint64_t{0});
  CHECK(is_floating(at::kBFloat16));
  CHECK_FALSE(is_floating(at::kByte));
  for (at::ScalarType dtype : {at::kComplexHalf, at::kComplexDouble, at::kQInt8, at::kQUInt8}) {
    CHECK_FALSE(is_supported(dtype));
  }
}

TEST_CASE("words are loaded and stored as they are") {
  // A signalling NaN with a payload, -0, and the largest negative number.
  const Words words = {0x7F80ABCD, 0x80000000, 0xFF7FFFFF};
  at::Tensor values = from_words(at::kFloat, words);
  for (size_t i = 0; i < words.size(); ++i)
    CHECK(load_bits(values, i) == words[i]);
  store_bits(values, 1, 0xFF800001);
  CHECK(to_words(values) == Words{0x7F80ABCD, 0xFF800001, 0xFF7FFFFF});

  at::Tensor bytes = from_words(at::kChar, {0x80, 0x01});
  CHECK(load_bits(bytes, 0) == 0x80);
  store_bits(bytes, 0, 0x1234);
  CHECK(to_words(bytes) == Words{0x34, 0x01});
}

TEST_CASE("bool has one bit, whatever its byte holds") {
  at::Tensor values = from_words(at::kBool, {0, 1, 2});
  CHECK(load_bits(values, 0) == 0);
  CHECK(load_bits(values, 1) == 1);
  CHECK(load_bits(values, 2) == 1);
  transform_bits(values, [](uint64_t bits) { return ~bits; });
  CHECK(to_words(values) == Words{1, 0, 0});
}

TEST_CASE("only plain memory is read") {
  const at::Tensor strided = at::zeros({4, 4}).select(1, 0);
  CHECK_THROWS_AS(load_bits(strided, 0), InternalError);
  CHECK_THROWS_AS(load_bits(at::zeros({2}), 2), InternalError);
}

TEST_CASE("values of words worked out by hand") {
  CHECK(to_double(0x3FF8000000000000, at::kDouble) == 1.5);
  CHECK(to_double(0xC0490FDB, at::kFloat) == -3.1415927410125732);
  CHECK(to_double(0x3C00, at::kHalf) == 1.0);
  CHECK(to_double(0x0001, at::kHalf) == std::ldexp(1.0, -24));
  CHECK(to_double(0x7BFF, at::kHalf) == 65504.0);
  CHECK(to_double(0xFC00, at::kHalf) == -kInfinity);
  CHECK(to_double(0x3FC0, at::kBFloat16) == 1.5);
  CHECK(to_double(0x7E, at::kFloat8_e4m3fn) == 448.0);
  CHECK(std::isnan(to_double(0x7F, at::kFloat8_e4m3fn)));
  CHECK(to_double(0x7B, at::kFloat8_e5m2) == 57344.0);
  CHECK(to_double(0x7C, at::kFloat8_e5m2) == kInfinity);
  CHECK(to_double(0x7F, at::kFloat8_e4m3fnuz) == 240.0);
  CHECK(std::isnan(to_double(0x80, at::kFloat8_e4m3fnuz)));
  CHECK(to_double(0x80, at::kChar) == -128.0);
  CHECK(to_double(0x80, at::kByte) == 128.0);
  CHECK(to_double(0x8000000000000000, at::kLong) == -9223372036854775808.0);
  CHECK(to_double(0x8000000000000000, at::kUInt64) == 9223372036854775808.0);
  CHECK(to_double(1, at::kBool) == 1.0);
}

TEST_CASE("words of values: rounding to even, overflow, NaN") {
  CHECK(from_double(1.0 + std::ldexp(1.0, -11), at::kHalf) == 0x3C00);                         // a tie, down
  CHECK(from_double(1.0 + 3 * std::ldexp(1.0, -11), at::kHalf) == 0x3C02);                     // a tie, up
  CHECK(from_double(1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40), at::kHalf) == 0x3C01);  // just above
  CHECK(from_double(65519.0, at::kHalf) == 0x7BFF);
  CHECK(from_double(65520.0, at::kHalf) == 0x7C00);
  CHECK(from_double(-1e300, at::kHalf) == 0xFC00);
  CHECK(from_double(std::ldexp(1.0, -25), at::kHalf) == 0x0000);  // a tie with 0
  CHECK(from_double(-1e-300, at::kHalf) == 0x8000);
  CHECK(from_double(464.0, at::kFloat8_e4m3fn) == 0x7E);
  CHECK(from_double(465.0, at::kFloat8_e4m3fn) == 0x7E);  // no infinity: the largest, 448
  CHECK(from_double(-kInfinity, at::kFloat8_e4m3fn) == 0xFE);
  CHECK(from_double(NAN, at::kFloat8_e4m3fn) == 0x7F);
  CHECK(from_double(248.0, at::kFloat8_e4m3fnuz) == 0x80);  // no infinity: NaN
  CHECK(from_double(-0.0, at::kFloat8_e4m3fn) == 0x80);
  CHECK(from_double(-0.0, at::kFloat8_e4m3fnuz) == 0x00);  // no -0
  CHECK(from_double(kInfinity, at::kFloat8_e5m2fnuz) == 0x80);
  CHECK(from_double(NAN, at::kFloat) == 0x7FC00000);
  CHECK(from_double(1e300, at::kFloat) == 0x7F800000);
}

TEST_CASE("integers round to even, saturate, and take NaN as 0") {
  CHECK(from_double(2.5, at::kChar) == 2);
  CHECK(from_double(3.5, at::kChar) == 4);
  CHECK(from_double(-2.5, at::kChar) == 0xFE);
  CHECK(from_double(200.0, at::kChar) == 0x7F);
  CHECK(from_double(-kInfinity, at::kChar) == 0x80);
  CHECK(from_double(-3.0, at::kByte) == 0);
  CHECK(from_double(300.0, at::kByte) == 255);
  CHECK(from_double(NAN, at::kInt) == 0);
  CHECK(from_double(9223372036854775808.0, at::kLong) == 0x7FFFFFFFFFFFFFFF);
  CHECK(from_double(-9223372036854775808.0, at::kLong) == 0x8000000000000000);
  CHECK(from_double(18446744073709551616.0, at::kUInt64) == ~uint64_t{0});
  CHECK(from_double(9007199254740993.0, at::kLong) == 9007199254740992);  // the double itself is even
  CHECK(from_double(-0.5, at::kBool) == 1);
}

TEST_CASE("every word of the small floats has PyTorch's value, and comes back from it") {
  for (at::ScalarType dtype : kSmallFloats) {
    CAPTURE(type_name(dtype));
    Words words(uint64_t{1} << word_bits(dtype));
    for (size_t i = 0; i < words.size(); ++i)
      words[i] = i;
    const at::Tensor expected = from_words(dtype, words).to(at::kFloat).to(at::kDouble);
    const double* values = expected.const_data_ptr<double>();
    int wrong = 0;
    for (uint64_t word : words) {
      const double value = to_double(word, dtype);
      const bool same = std::isnan(values[word])
                            ? std::isnan(value)
                            : from_double(value, at::kDouble) == from_double(values[word], at::kDouble);
      const bool returns = std::isnan(value) || from_double(value, dtype) == word;
      if (!same || !returns) ++wrong;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("FP32 values in the range of the small floats convert as PyTorch converts them") {
  // Words drawn over all of FP32, so over all exponents, and ties among them.
  Draw draw(3);
  Words words(20000);
  for (uint64_t& word : words)
    word = draw.bits32() & (draw.below(2) == 0 ? 0xFFFF0000 : 0xFFFFFFFF);
  const at::Tensor values = from_words(at::kFloat, words);
  for (at::ScalarType dtype : kSmallFloats) {
    CAPTURE(type_name(dtype));
    const Words expected = to_words(values.to(dtype));
    int wrong = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      // Beyond the range, releases of PyTorch differ from each other.
      if (!can_hold(to_double(words[i], at::kFloat), dtype)) continue;
      const uint64_t word = from_double(to_double(words[i], at::kFloat), dtype);
      const bool is_nan = std::isnan(to_double(word, dtype)) && std::isnan(to_double(expected[i], dtype));
      if (word != expected[i] && !is_nan) ++wrong;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("what a type can hold") {
  CHECK(can_hold(65519.0, at::kHalf));
  CHECK_FALSE(can_hold(65520.0, at::kHalf));
  CHECK(can_hold(-kInfinity, at::kHalf));
  CHECK(can_hold(NAN, at::kFloat8_e4m3fn));
  CHECK_FALSE(can_hold(kInfinity, at::kFloat8_e4m3fn));
  CHECK(can_hold(464.0, at::kFloat8_e4m3fn));
  CHECK_FALSE(can_hold(465.0, at::kFloat8_e4m3fn));
  CHECK_FALSE(can_hold(1e39, at::kFloat));
  CHECK(can_hold(3.4028235e38, at::kFloat));  // how FP32's largest value prints
  CHECK_FALSE(can_hold(kInfinity, at::kFloat8_e5m2fnuz));
  CHECK(can_hold(127.0, at::kChar));
  CHECK_FALSE(can_hold(128.0, at::kChar));
  CHECK_FALSE(can_hold(1.5, at::kChar));
  CHECK_FALSE(can_hold(NAN, at::kInt));
  CHECK_FALSE(can_hold(9223372036854775808.0, at::kLong));
  CHECK(can_hold(-9223372036854775808.0, at::kLong));
  CHECK_FALSE(can_hold(-1.0, at::kByte));
  CHECK(can_hold(1.0, at::kBool));
  CHECK_FALSE(can_hold(2.0, at::kBool));
  CHECK(legal_range(at::kChar) == "-128 to 127");
  CHECK(legal_range(at::kUInt64) == "0 to 18446744073709551615");
  CHECK(legal_range(at::kHalf) == "-65504 to 65504");
  CHECK(legal_range(at::kBool) == "0 to 1");
}

}  // namespace faultwave
