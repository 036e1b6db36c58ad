// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/schedule.h"

#include <doctest/doctest.h>

namespace faultwave {
namespace {

Specification specification(double half_width) {
  Specification spec;
  spec.draw = DrawRule::stratified;
  spec.round = 4096;
  spec.block = 100;
  spec.stop.half_width = half_width;
  return spec;
}

const std::vector<Round> before = {{0, 0, 30'000, {}}, {1, 30'000, 50'000, {}}};  // 80,000 trials

TEST_CASE("a campaign without looks has one round of all trials") {
  Specification spec = specification(0);
  spec.draw = DrawRule::bits;
  CHECK(next_round(spec, 12'345, {}).trials == 12'345);
}

TEST_CASE("rounds grow by an eighth, in whole blocks, up to the last trial") {
  const Specification spec = specification(0);
  CHECK(next_round(spec, 1'000'000, {}).trials == 4'100);
  const Round third = next_round(spec, 1'000'000, before);
  CHECK(third.number == 2);
  CHECK(third.first_trial == 80'000);
  CHECK(third.trials == 10'000);
  CHECK(next_round(spec, 80'050, before).trials == 50);
}

TEST_CASE("a round ends where the half-width is to be expected, if that is sooner") {
  const Specification spec = specification(0.001);
  CHECK(next_round(spec, 1'000'000, before, 1).trials == 10'000);
  CHECK(next_round(spec, 1'000'000, before, 0.002).trials == 10'000);  // 240,000 to go
  // 1.03^2 - 1 = 6.09 % of 80,000 to go.
  CHECK(next_round(spec, 1'000'000, before, 0.00103).trials == 4'900);
  // Nearly there: a 64th of 80,000.
  CHECK(next_round(spec, 1'000'000, before, 0.0010001).trials == 1'300);
  // Without [stop] half_width nobody knows.
  CHECK(next_round(specification(0), 1'000'000, before, 0.00103).trials == 10'000);
}

}  // namespace
}  // namespace faultwave
