// SPDX-License-Identifier: Apache-2.0
// Flips in an emulated format: the paper's INT8, and the others.
#include <cmath>
#include <cstring>
#include <limits>

#include "faultwave/random.h"

#include "src/fault/formats.h"
#include "tests/fault/support.h"

namespace faultwave {

using test::apply_to_floats;
using test::apply_to_words;
using test::Words;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

std::string refusal(const ErrorModelPtr& model, const VictimContext& context) {
  return error_of(ErrorCode::illegal_fault, [&] { model->check(context); });
}

}  // namespace

TEST_CASE("INT8: vectors worked out by hand, scale 0.5") {
  struct Vector {
    float value;
    int integer;  // what it rounds to
    int bit;
    float faulty;  // (integer with that bit flipped) * 0.5
  };
  const std::vector<Vector> vectors = {
      // within the range
      {0.0f, 0, 0, 0.5f},
      {0.0f, 0, 7, -64.0f},
      {1.0f, 2, 0, 1.5f},
      {1.0f, 2, 1, 0.0f},
      {1.0f, 2, 6, 33.0f},
      {-1.0f, -2, 0, -0.5f},   // 1111'1110 -> 1111'1111
      {-1.0f, -2, 7, 63.0f},   // 1111'1110 -> 0111'1110 = 126
      {-0.5f, -1, 6, -32.5f},  // 1111'1111 -> 1011'1111 = -65
      // right at the ends: 127 * 0.5 and -128 * 0.5
      {63.5f, 127, 0, 63.0f},
      {63.5f, 127, 6, 31.5f},
      {63.5f, 127, 7, -0.5f},
      {-63.5f, -127, 0, -64.0f},  // 1000'0001 -> 1000'0000
      {-63.5f, -127, 7, 0.5f},    // 1000'0001 -> 0000'0001
      {-64.0f, -128, 0, -63.5f},
      {-64.0f, -128, 7, 0.0f},
      // beyond and below: saturated, then flipped
      {64.0f, 127, 7, -0.5f},
      {1000.0f, 127, 0, 63.0f},
      {-64.5f, -128, 7, 0.0f},
      {-1e30f, -128, 6, -32.0f},  // 1000'0000 -> 1100'0000 = -64
      {kInf, 127, 7, -0.5f},
      {-kInf, -128, 7, 0.0f},
      // no number, and negative zero
      {std::nanf(""), 0, 0, 0.5f},
      {std::nanf(""), 0, 7, -64.0f},
      {-0.0f, 0, 0, 0.5f},
      // ties go to the even integer
      {0.25f, 0, 0, 0.5f},
      {0.75f, 2, 0, 1.5f},
      {1.25f, 2, 0, 1.5f},
      {-0.25f, 0, 0, 0.5f},
      {-0.75f, -2, 0, -0.5f},
      {63.75f, 127, 0, 63.0f},     // 127.5 -> 128, saturated
      {-64.25f, -128, 0, -63.5f},  // -128.5 -> -128
  };
  const std::shared_ptr<const NumberFormat> int8 = find_format("int8");
  for (const Vector& vector : vectors) {
    CAPTURE(vector.value);
    CAPTURE(vector.bit);
    CHECK(int8->encode(vector.value, 0.5) == (static_cast<uint64_t>(vector.integer) & 0xFF));
    CHECK(apply_to_floats(int8_flip(vector.bit, 0.5), {vector.value})[0] == vector.faulty);
  }
}

TEST_CASE("INT8: a result of zero is +0") {
  CHECK(apply_to_words(int8_flip(7, 0.5), at::kFloat, {0xC2800000}) == Words{0x00000000});  // -64 -> 0
}

TEST_CASE("INT8: a scale that binary fractions cannot express") {
  // 1 / 0.05 = 20 = 0001'0100; bit 6 makes 84; 84 * 0.05 = 4.2.
  CHECK(apply_to_floats(int8_flip(6, 0.05), {1.0f})[0] == 4.2f);
  // The largest calibrated value is 127 of its own scale, whatever the rounding of the division.
  const double largest = 3.1415927410125732;
  CHECK(apply_to_floats(int8_flip(7, largest / 127), {3.1415927410125732f})[0] ==
        static_cast<float>(-largest / 127));
}

TEST_CASE("INT8: results are rounded to the victim's own type") {
  // 0.1 * 3 with bit 0 flipped is 2 * 0.1: 0x3E4D in BF16 (0.2 = 0x3E4CCCCD in FP32), 0x3266 in FP16.
  CHECK(apply_to_words(int8_flip(0, 0.1), at::kBFloat16, {0x3E9A}) == Words{0x3E4D});
  CHECK(apply_to_words(int8_flip(0, 0.1), at::kHalf, {0x34CD}) == Words{0x3266});
  CHECK(apply_to_words(int8_flip(0, 0.5), at::kDouble, {0x3FF0000000000000}) == Words{0x3FF8000000000000});
  CHECK(apply_to_words(int8_flip(1, 0.5), at::kFloat8_e4m3fn, {0x00}) == Words{0x38});
}

TEST_CASE("INT8: the site's scale, a drawn bit, and what resolving fixes") {
  const VictimContext context{"conv1", at::kFloat, 0.25};
  at::Tensor values = test::from_words(at::kFloat, {0x3F800000});  // 1.0 = 4 * 0.25
  Draw unused(0);
  int8_flip(0)->check(context);
  int8_flip(0)->apply(values, context, unused);
  CHECK(values.item<float>() == 1.25f);

  // Key 8841 draws bit 7 of 8.
  Draw draw(8841);
  const ErrorModelPtr resolved = int8_flip()->resolve(context, draw);
  CHECK(resolved->text() == "flip(int8:7,scale=0.25)");
  CHECK_FALSE(resolved->is_drawn());
  CHECK(resolved->resolve(context, draw) == nullptr);
  CHECK(int8_flip(6)->resolve(context, draw)->text() == "flip(int8:6,scale=0.25)");
  // A scale in the text comes before the site's.
  CHECK(int8_flip(6, 2.0)->resolve(context, draw) == nullptr);
  // Where the scale is not known yet, the bit is fixed all the same.
  Draw again(8841);
  CHECK(int8_flip()->resolve({"conv1", at::kFloat, std::nullopt}, again)->text() == "flip(int8:7)");
  CHECK(apply_to_floats(int8_flip({}, 0.5), {0.0f, 1.0f}, 8841) == std::vector<float>{-64.0f, -63.0f});
}

TEST_CASE("INT8: refusals") {
  CHECK(refusal(int8_flip(6), {"conv1", at::kFloat, std::nullopt}) ==
        "flip(int8:6) cannot hit FP32 values at site conv1: the scale of the site is not known; calibrate "
        "it, or "
        "give one as in flip(int8:6,scale=0.05)");
  CHECK_HOLDS(refusal(int8_flip(6), {"conv1", at::kFloat, 0.0}), "the calibrated scale of the site is 0");
  CHECK_HOLDS(refusal(int8_flip(8, 0.1), {"conv1", at::kFloat, std::nullopt}),
              "there is no bit 8, the bits of int8 are 0 (lowest) to 7");
  CHECK_HOLDS(refusal(int8_flip(-1, 0.1), {"conv1", at::kFloat, std::nullopt}), "there is no bit -1");
  CHECK_HOLDS(refusal(int8_flip(3, 0.1), {"conv1", at::kChar, std::nullopt}),
              "formats are emulated on floating-point values");
  for (double scale : {0.0, -1.0, static_cast<double>(kInf), static_cast<double>(NAN)}) {
    CHECK_HOLDS(error_of(ErrorCode::usage, [&] { int8_flip(6, scale); }), "must be finite and above 0");
  }
}

TEST_CASE("floating formats: through the format, one bit, and back") {
  // 1.0 is 0x3C00 in FP16: bit 14 gives 0x7C00, infinity; bit 10 gives 0x3800, 0.5; bit 15 the sign.
  CHECK(apply_to_floats(format_flip("fp16", 14), {1.0f})[0] == kInf);
  CHECK(apply_to_floats(format_flip("fp16", 10), {1.0f})[0] == 0.5f);
  CHECK(apply_to_floats(format_flip("fp16", 15), {1.0f})[0] == -1.0f);
  // What FP16 cannot express is rounded first: 1 + 2^-12 becomes 1; 1e6 becomes infinity, 0x7C00, bit 14
  // gives 0x3C00.
  CHECK(apply_to_floats(format_flip("fp16", 0), {1.000244140625f})[0] == 1.0009765625f);
  CHECK(apply_to_floats(format_flip("fp16", 14), {1e6f})[0] == 1.0f);
  // 1.0 is 0x3F80 in BF16: bit 14 gives 0x7F80, infinity; bit 7 gives 0x3F00, 0.5.
  CHECK(apply_to_floats(format_flip("bf16", 14), {1.0f})[0] == kInf);
  CHECK(apply_to_floats(format_flip("bf16", 7), {1.0f})[0] == 0.5f);
  // 1.0 is 0x38 in E4M3: bit 6 gives 0x78 = 256; 0x3C in E5M2: bit 6 gives 0x7C, infinity.
  CHECK(apply_to_floats(format_flip("fp8_e4m3", 6), {1.0f})[0] == 256.0f);
  CHECK(apply_to_floats(format_flip("fp8_e5m2", 6), {1.0f})[0] == kInf);
  // FP16 -0 is 0x8000: bit 15 gives +0. NaN is 0x7E00: bit 9 gives infinity.
  CHECK(apply_to_words(format_flip("fp16", 15), at::kFloat, {0x80000000}) == Words{0});
  CHECK(apply_to_floats(format_flip("fp16", 9), {std::nanf("")})[0] == kInf);
}

TEST_CASE("fixed point: two's complement with a binary point") {
  // fixed8.4 counts in sixteenths, from -8 to 7.9375. 1.0 = 16 = 0001'0000.
  CHECK(apply_to_floats(format_flip("fixed8.4", 0), {1.0f})[0] == 1.0625f);
  CHECK(apply_to_floats(format_flip("fixed8.4", 7), {1.0f})[0] == -7.0f);
  CHECK(apply_to_floats(format_flip("fixed8.4", 0), {100.0f})[0] == 7.875f);  // 127 -> 126
  CHECK(apply_to_floats(format_flip("fixed32.0", 31), {0.0f})[0] == -2147483648.0f);
  CHECK(apply_to_floats(format_flip("fixed2.1", 1), {0.5f})[0] == -0.5f);  // 01 -> 11 = -1
  CHECK(format_flip("fixed8.4", 7)->text() == "flip(fixed8.4:7)");
}

TEST_CASE("formats: drawn bits, texts and refusals") {
  CHECK(format_flip("fp16")->text() == "flip(fp16)");
  CHECK(format_flip("fp16")->is_drawn());
  Draw draw(8841);
  // Modulo 16, key 8841 draws 7.
  CHECK(format_flip("fp16")->resolve({"", at::kFloat, std::nullopt}, draw)->text() == "flip(fp16:7)");
  CHECK(format_flip("int8", 6, 0.05)->text() == int8_flip(6, 0.05)->text());
  CHECK(refusal(format_flip("bf16", 16), {"", at::kFloat, std::nullopt}) ==
        "flip(bf16:16) cannot hit FP32 values: there is no bit 16, the bits of bf16 are 0 (lowest) to 15");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { format_flip("fp12", 3); }),
              "unknown number format 'fp12': expected int8, fp16, bf16, fp8_e4m3, fp8_e5m2, or fixedW.F");
  for (const char* name : {"fixed", "fixed8", "fixed.4", "fixed1.0", "fixed33.0", "fixed8.8", "fixed8.-1"}) {
    CHECK_HOLDS(error_of(ErrorCode::usage, [&] { format_flip(name, 0); }), "unknown number format");
  }
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { format_flip("fp16", 3, 0.5); }), "takes no scale");
}

}  // namespace faultwave
