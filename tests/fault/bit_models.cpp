// SPDX-License-Identifier: Apache-2.0
// Models that change given bits: flip, burst, stuck-at.
#include "faultwave/injector.h"
#include "faultwave/random.h"

#include "tests/fault/support.h"

namespace faultwave {

using test::apply_to_words;
using test::refusal;
using test::Words;

namespace {

std::string resolved_text(const ErrorModelPtr& model, at::ScalarType dtype, uint64_t key) {
  Draw draw(key);
  return model->resolve({"conv1", dtype, std::nullopt}, draw)->text();
}

}  // namespace

TEST_CASE("flip: hand-worked words of every type") {
  // Bit 30 of FP32 turns 1.0 (0x3F800000) into infinity (0x7F800000).
  CHECK(apply_to_words(bit_flip({30}), at::kFloat, {0x3F800000}) == Words{0x7F800000});
  CHECK(apply_to_words(bit_flip({62}), at::kDouble, {0x3FF0000000000000}) == Words{0x7FF0000000000000});
  CHECK(apply_to_words(bit_flip({14}), at::kHalf, {0x3C00}) == Words{0x7C00});
  CHECK(apply_to_words(bit_flip({7}), at::kBFloat16, {0x3F80}) == Words{0x3F00});
  CHECK(apply_to_words(bit_flip({6}), at::kFloat8_e4m3fn, {0x38}) == Words{0x78});
  CHECK(apply_to_words(bit_flip({7}), at::kFloat8_e5m2, {0x3C}) == Words{0xBC});
  CHECK(apply_to_words(bit_flip({7}), at::kFloat8_e4m3fnuz, {0x00}) == Words{0x80});
  CHECK(apply_to_words(bit_flip({0}), at::kFloat8_e5m2fnuz, {0x40}) == Words{0x41});
  CHECK(apply_to_words(bit_flip({7}), at::kChar, {0x05}) == Words{0x85});
  CHECK(apply_to_words(bit_flip({7}), at::kByte, {0x05}) == Words{0x85});
  CHECK(apply_to_words(bit_flip({15}), at::kShort, {0x0001}) == Words{0x8001});
  CHECK(apply_to_words(bit_flip({31}), at::kInt, {0xFFFFFFFF}) == Words{0x7FFFFFFF});
  CHECK(apply_to_words(bit_flip({63}), at::kLong, {0x0000000000000001}) == Words{0x8000000000000001});
  CHECK(apply_to_words(bit_flip({9}), at::kUInt16, {0x0000}) == Words{0x0200});
  CHECK(apply_to_words(bit_flip({0}), at::kBool, {0, 1}) == Words{1, 0});
}

TEST_CASE("flip: NaN payloads and the sign of zero are only bits") {
  // A signalling NaN stays one: no floating-point conversion touches it.
  CHECK(apply_to_words(bit_flip({0}), at::kFloat, {0x7F800002}) == Words{0x7F800003});
  CHECK(apply_to_words(bit_flip({31}), at::kFloat, {0x00000000, 0x80000000}) ==
        Words{0x80000000, 0x00000000});
  CHECK(apply_to_words(bit_flip({0}), at::kHalf, {0x7C02}) == Words{0x7C03});
  CHECK(apply_to_words(bit_flip({51}), at::kDouble, {0x7FF0000000000001}) == Words{0x7FF8000000000001});
}

TEST_CASE("flip: several bits, each victim, nothing else") {
  CHECK(apply_to_words(bit_flip({3, 30}), at::kFloat, {0, 0x40000008}) == Words{0x40000008, 0});
  CHECK(bit_flip({30, 3})->text() == "flip(3,30)");
  CHECK_FALSE(bit_flip({3})->is_drawn());
  CHECK(bit_flip({3})->gradient() == 0.0);
  Draw draw(1);
  CHECK(bit_flip({3})->resolve({}, draw) == nullptr);
  CHECK(draw.bits32() == 0xe3e80670);  // key 1: nothing was drawn
}

TEST_CASE("flip: a drawn bit is the same for all victims and when resolved") {
  // Key 8841 draws 0xa794e6e561e16eb7 first: modulo 32 that is 23, modulo 8 it is 7, modulo 64 it is 55.
  CHECK(bit_flip()->is_drawn());
  CHECK(resolved_text(bit_flip(), at::kFloat, 8841) == "flip(23)");
  CHECK(resolved_text(bit_flip(), at::kChar, 8841) == "flip(7)");
  CHECK(resolved_text(bit_flip(), at::kLong, 8841) == "flip(55)");
  CHECK(resolved_text(bit_flip(), at::kBool, 8841) == "flip(0)");
  CHECK(apply_to_words(bit_flip(), at::kFloat, {0, 1}, 8841) == Words{0x00800000, 0x00800001});
}

TEST_CASE("flip: any=n draws that many different bits") {
  // Modulo 8 the first draw of key 8841 is 7; the second, modulo 7, is 4; the third, modulo 6, is 3.
  CHECK(resolved_text(random_bit_flips(2), at::kChar, 8841) == "flip(4,7)");
  CHECK(resolved_text(random_bit_flips(3), at::kChar, 8841) == "flip(3,4,7)");
  CHECK(resolved_text(random_bit_flips(8), at::kChar, 5) == "flip(0,1,2,3,4,5,6,7)");
  CHECK(apply_to_words(random_bit_flips(2), at::kChar, {0}, 8841) == Words{0x90});
  CHECK(random_bit_flips(1)->text() == "flip");
  CHECK(random_bit_flips(2)->text() == "flip(any=2)");
}

TEST_CASE("flip: all pairs of bits come up equally often") {
  // 2,800 draws over the 28 pairs of 8 bits: 100 each expected; chi-square of 27 degrees stays below 60.
  std::vector<int> counts(256, 0);
  for (uint64_t key = 0; key < 2800; ++key) {
    ++counts[apply_to_words(random_bit_flips(2), at::kByte, {0}, key)[0]];
  }
  double chi_square = 0;
  int pairs = 0;
  for (int count : counts) {
    if (count == 0) continue;
    ++pairs;
    chi_square += (count - 100.0) * (count - 100.0) / 100.0;
  }
  CHECK(pairs == 28);
  CHECK(chi_square < 60.0);
}

TEST_CASE("flip: refusals name the legal bits") {
  CHECK(refusal(bit_flip({40}), at::kFloat) ==
        "flip(40) cannot hit FP32 values at site conv1: there is no bit 40, the bits of FP32 are 0 (lowest) "
        "to 31");
  CHECK_HOLDS(refusal(bit_flip({3, 8}), at::kChar), "the bits of INT8 are 0 (lowest) to 7");
  CHECK_HOLDS(refusal(bit_flip({-1}), at::kHalf),
              "there is no bit -1, the bits of FP16 are 0 (lowest) to 15");
  CHECK_HOLDS(refusal(bit_flip({1}), at::kBool), "the bits of BOOL are 0 only");
  CHECK_HOLDS(refusal(random_bit_flips(9), at::kChar), "they have only 8 bits");
  CHECK_HOLDS(refusal(random_bit_flips(2), at::kBool), "they have only 1 bit");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { bit_flip(std::vector<int>{}); }), "at least one bit");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { bit_flip({4, 7, 4}); }), "bit 4 of a flip is given twice");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { random_bit_flips(0); }), "from 1 to 64, not 0");
  Draw draw(0);
  CHECK_THROWS_AS(random_bit_flips(9)->resolve({"conv1", at::kChar, std::nullopt}, draw), UserError);
}

TEST_CASE("burst: adjacent bits, kept within the word") {
  CHECK(apply_to_words(burst_flip(4, 20), at::kFloat, {0, 0x00F00000}) == Words{0x00F00000, 0});
  CHECK(apply_to_words(burst_flip(2, 6), at::kChar, {0x01}) == Words{0xC1});
  CHECK(apply_to_words(burst_flip(64, 0), at::kLong, {0}) == Words{~uint64_t{0}});
  CHECK(apply_to_words(burst_flip(1, 0), at::kBool, {1}) == Words{0});
  CHECK(burst_flip(4)->text() == "burst(4)");
  CHECK(burst_flip(4, 20)->text() == "burst(4,start=20)");
}

TEST_CASE("burst: a drawn start lies among the legal ones") {
  // FP32 leaves 29 starts for 4 bits; key 8841 draws 6 of 29.
  CHECK(burst_flip(4)->is_drawn());
  CHECK(resolved_text(burst_flip(4), at::kFloat, 8841) == "burst(4,start=6)");
  CHECK(apply_to_words(burst_flip(4), at::kFloat, {0}, 8841) == Words{0x000003C0});
  CHECK(resolved_text(burst_flip(8), at::kByte, 8841) == "burst(8,start=0)");
  for (uint64_t key = 0; key < 200; ++key) {
    const uint64_t word = apply_to_words(burst_flip(7), at::kByte, {0}, key)[0];
    CHECK_UNARY(word == 0x7F || word == 0xFE);
  }
}

TEST_CASE("burst: refusals") {
  CHECK_HOLDS(refusal(burst_flip(4, 29), at::kFloat), "a burst of 4 can start at bits 0 (lowest) to 28");
  CHECK_HOLDS(refusal(burst_flip(4, -1), at::kFloat), "can start at bits 0 (lowest) to 28");
  CHECK_HOLDS(refusal(burst_flip(9), at::kChar), "they have only 8 bits");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { burst_flip(0); }), "length from 1 to 64, not 0");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { burst_flip(65); }), "length from 1 to 64, not 65");
  Draw draw(0);
  CHECK_THROWS_AS(burst_flip(9)->resolve({"conv1", at::kChar, std::nullopt}, draw), UserError);
}

TEST_CASE("stuck-at: the bit reads as 0 or 1 whatever it was") {
  CHECK(apply_to_words(stuck_at(1, 31), at::kFloat, {0x3F800000, 0xBF800000}) ==
        Words{0xBF800000, 0xBF800000});
  CHECK(apply_to_words(stuck_at(0, 31), at::kFloat, {0x3F800000, 0xBF800000}) ==
        Words{0x3F800000, 0x3F800000});
  CHECK(apply_to_words(stuck_at(0, 0), at::kFloat, {0x7F800001}) == Words{0x7F800000});
  CHECK(apply_to_words(stuck_at(1, 15), at::kBFloat16, {0x0000}) == Words{0x8000});
  CHECK(apply_to_words(stuck_at(1, 6), at::kFloat8_e4m3fn, {0x38}) == Words{0x78});
  CHECK(apply_to_words(stuck_at(0, 7), at::kChar, {0xFF}) == Words{0x7F});
  CHECK(apply_to_words(stuck_at(1, 0), at::kBool, {0, 1}) == Words{1, 1});
  CHECK(stuck_at(1, 7)->text() == "stuck1(7)");
  CHECK(stuck_at(0)->text() == "stuck0");
}

TEST_CASE("stuck-at: a drawn bit, and refusals") {
  CHECK(stuck_at(1)->is_drawn());
  CHECK_FALSE(stuck_at(1, 2)->is_drawn());
  CHECK(resolved_text(stuck_at(1), at::kFloat, 8841) == "stuck1(23)");
  CHECK(resolved_text(stuck_at(0), at::kHalf, 8841) == "stuck0(7)");
  CHECK(apply_to_words(stuck_at(1), at::kFloat, {0, 0}, 8841) == Words{0x00800000, 0x00800000});
  CHECK_HOLDS(refusal(stuck_at(0, 16), at::kHalf),
              "there is no bit 16, the bits of FP16 are 0 (lowest) to 15");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { stuck_at(2); }), "stuck at 0 or 1, not at 2");
}

TEST_CASE("complex and quantised types are refused by every model") {
  for (const ErrorModelPtr& model :
       {bit_flip(), bit_flip({0}), burst_flip(1), stuck_at(0), zero(), constant(0), random_value(0, 1),
        gaussian_noise(1), scale_by(2), int8_flip(0, 1.0)}) {
    CHECK_HOLDS(refusal(model, at::kComplexFloat), "cannot hit ComplexFloat values at site conv1");
    CHECK_HOLDS(refusal(model, at::kQInt8), "cannot hit QInt8 values at site conv1");
  }
}

TEST_CASE("the short names make the same models") {
  CHECK(to_error_model(RandomValue{-1, 1})->text() == "random(-1,1)");
  CHECK(to_error_model(BitFlip{})->text() == "flip");
  CHECK(to_error_model(BitFlip{30})->text() == "flip(30)");
  CHECK(to_error_model(Zero{})->text() == "zero");
  CHECK(to_error_model(Constant{2.5})->text() == "constant(2.5)");
  CHECK(to_error_model(Noise{0.1})->text() == "noise(0.1)");
  CHECK(to_error_model(Scale{-2})->text() == "scale(-2)");
}

}  // namespace faultwave
