// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/store.h"

namespace faultwave {
namespace {

TrialRow row(OutcomeClass outcome, uint32_t fired) {
  TrialRow result;
  result.outcome = outcome;
  result.fired = fired;
  return result;
}

TEST_CASE("up to six criteria take one byte: class in the two lowest bits") {
  const std::vector<TrialRow> rows = {row(OutcomeClass::masked, 0), row(OutcomeClass::benign, 0),
                                      row(OutcomeClass::sdc, 0b000101), row(OutcomeClass::due, 0b111111)};
  CHECK(pack_outcomes(rows, 6) == std::vector<uint8_t>{0, 1, 0b00010110, 0xff});
}

TEST_CASE("seven criteria take two bytes, the lower first") {
  const std::vector<TrialRow> rows = {row(OutcomeClass::sdc, 0b1000001)};
  CHECK(pack_outcomes(rows, 7) == std::vector<uint8_t>{0b00000110, 0b1});
}

TEST_CASE("unpacking inverts packing for any number of criteria") {
  for (size_t criteria = 0; criteria <= 30; ++criteria) {
    const auto all = static_cast<uint32_t>((uint64_t{1} << criteria) - 1);
    const std::vector<TrialRow> rows = {row(OutcomeClass::due, all), row(OutcomeClass::masked, 0),
                                        row(OutcomeClass::sdc, all & 0x15555555)};
    const std::vector<PackedOutcome> outcomes = unpack_outcomes(pack_outcomes(rows, criteria), criteria);
    REQUIRE(outcomes.size() == rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      CHECK(outcomes[i].outcome == rows[i].outcome);
      CHECK(outcomes[i].fired == rows[i].fired);
    }
  }
}

TEST_CASE("bytes that end within a trial are refused") {
  CHECK_THROWS_AS(unpack_outcomes({0, 0, 0}, 7), InternalError);
}

}  // namespace
}  // namespace faultwave
