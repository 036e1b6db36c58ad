// SPDX-License-Identifier: Apache-2.0
#include "faultwave/random.h"

#include <array>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/error.h"

namespace faultwave {
namespace {

using Words4 = std::array<uint32_t, 4>;

/// Philox 4x32-10 written down from the paper, apart from the implementation under test.
Words4 philox(Words4 counter, uint32_t key_low, uint32_t key_high) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t left = uint64_t{0xD2511F53} * counter[0];
    const uint64_t right = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(right >> 32) ^ counter[1] ^ key_low, static_cast<uint32_t>(right),
               static_cast<uint32_t>(left >> 32) ^ counter[3] ^ key_high, static_cast<uint32_t>(left)};
    key_low += 0x9E3779B9;
    key_high += 0xBB67AE85;
  }
  return counter;
}

uint32_t low(uint64_t value) {
  return static_cast<uint32_t>(value);
}
uint32_t high(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

}  // namespace

TEST_CASE("the reference reproduces the published vectors of Philox 4x32-10") {
  CHECK(philox({0, 0, 0, 0}, 0, 0) == Words4{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u) == Words4{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
        Words4{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a Draw hands out the words of its key and stream in order") {
  const std::vector<std::array<uint64_t, 2>> cases = {
      {0, 0}, {1, 0}, {8841, 0}, {8841, 2}, {0x123456789abcdef0, 0xfedcba9876543210}, {~0ull, ~0ull}};
  for (const auto& [key, stream] : cases) {
    CAPTURE(key);
    CAPTURE(stream);
    Draw draw(key, stream);
    for (uint32_t block = 0; block < 5; ++block) {
      const Words4 expected = philox({block, 0, low(stream), high(stream)}, low(key), high(key));
      for (uint32_t word : expected)
        CHECK(draw.bits32() == word);
    }
  }
}

TEST_CASE("pinned draws of key 8841") {
  Draw words(8841);
  CHECK(words.bits32() == 0x61e16eb7);
  CHECK(words.bits32() == 0xa794e6e5);
  CHECK(words.bits64() == 0x6aff0b441646161b);

  Draw uniform(8841);
  CHECK(uniform.uniform() == 0.6546158132567875);
  CHECK(uniform.uniform() == 0.4179541627147716);
  CHECK(uniform.uniform() == 0.9864763652011571);

  Draw normal(8841);
  CHECK(normal.normal() == doctest::Approx(-1.2686497874612426).epsilon(1e-14));
  CHECK(normal.normal() == doctest::Approx(1.9631242434602525).epsilon(1e-14));

  Draw digits(8841);
  for (uint64_t digit : {9, 1, 7, 2, 1, 3, 0, 5, 0, 2})
    CHECK(digits.below(10) == digit);
}

TEST_CASE("below rejects what would make small values likelier") {
  // Of 2^63 + 1 values, 2^63 - 1 words of 64 bits have no partner and are passed over: the second and fourth
  // here.
  const uint64_t bound = (uint64_t{1} << 63) + 1;
  Draw draw(8841);
  CHECK(draw.below(bound) == 2852158336896429750);
  CHECK(draw.below(bound) == 8973905006774208648);
  CHECK(draw.below(bound) == 3426929237696386852);
}

TEST_CASE("below 1 is 0, and below 0 is a mistake of ours") {
  Draw draw(5);
  CHECK(draw.below(1) == 0);
  CHECK_THROWS_AS(draw.below(0), InternalError);
}

TEST_CASE("a copied Draw goes on from the same position") {
  Draw draw(7, 3);
  draw.bits32();
  Draw copy = draw;
  CHECK(copy.bits64() == draw.bits64());
  CHECK(copy.uniform() == draw.uniform());
}

TEST_CASE("moments of a fixed stream") {
  // 10,000 values: standard errors of the means are 0.0029 and 0.01; five of them are allowed.
  Draw draw(42);
  double uniform_sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double value = draw.uniform();
    CHECK_UNARY(value >= 0.0 && value < 1.0);
    uniform_sum += value;
  }
  CHECK(uniform_sum / 10000 == doctest::Approx(0.5).epsilon(0.03));

  double sum = 0, squares = 0;
  for (int i = 0; i < 10000; ++i) {
    const double value = draw.normal();
    sum += value;
    squares += value * value;
  }
  CHECK(std::fabs(sum / 10000) < 0.05);
  CHECK(squares / 10000 == doctest::Approx(1.0).epsilon(0.07));
}

}  // namespace faultwave
