// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/store.h"

namespace faultwave {
namespace {

TrialOutcome outcome(OutcomeClass kind, uint32_t fired) {
  return {.outcome = kind, .fired = fired};
}

CampaignInfo with_criteria(size_t criteria, bool labelled = false) {
  CampaignInfo info;
  info.criteria.assign(criteria, "c");
  if (labelled) info.labels_fingerprint = "l";
  return info;
}

TEST_CASE("up to five criteria take one byte: class in the three lowest bits, 7 for what is not done") {
  const std::vector<TrialOutcome> outcomes = {outcome(OutcomeClass::masked, 0),
                                              outcome(OutcomeClass::benign, 0),
                                              outcome(OutcomeClass::sdc, 0b000101),
                                              outcome(OutcomeClass::due, 0b11111),
                                              outcome(OutcomeClass::crash, 0),
                                              outcome(OutcomeClass::hang, 0),
                                              {.is_done = false}};
  CHECK(pack_outcomes(outcomes, with_criteria(5)) == std::vector<uint8_t>{0, 1, 0b00101010, 0xfb, 4, 5, 7});
}

TEST_CASE("with labels, what was right takes two bits more, and three criteria fit a byte") {
  TrialOutcome both = outcome(OutcomeClass::benign, 0b101);
  both.golden_right = true;
  both.faulty_right = true;
  TrialOutcome golden = outcome(OutcomeClass::sdc, 0b0001);
  golden.golden_right = true;
  CHECK(pack_outcomes({both, golden}, with_criteria(3, true)) ==
        std::vector<uint8_t>{0b10111001, 0b00101010});
  CHECK(pack_outcomes({both}, with_criteria(4, true)).size() == 2);
}

TEST_CASE("seven criteria take two bytes, the lower first") {
  const std::vector<TrialOutcome> outcomes = {outcome(OutcomeClass::sdc, 0b1000001)};
  CHECK(pack_outcomes(outcomes, with_criteria(7)) == std::vector<uint8_t>{0b00001010, 0b10});
}

TEST_CASE("unpacking inverts packing for any number of criteria, with labels and without") {
  for (const bool labelled : {false, true}) {
    for (size_t criteria = 0; criteria <= 30; ++criteria) {
      const CampaignInfo info = with_criteria(criteria, labelled);
      const auto all = static_cast<uint32_t>((uint64_t{1} << criteria) - 1);
      std::vector<TrialOutcome> outcomes = {outcome(OutcomeClass::due, all),
                                            outcome(OutcomeClass::masked, 0),
                                            outcome(OutcomeClass::sdc, all & 0x15555555),
                                            outcome(OutcomeClass::hang, 0),
                                            {.is_done = false}};
      outcomes[1].golden_right = labelled;
      outcomes[2].faulty_right = labelled;
      const std::vector<TrialOutcome> back = unpack_outcomes(pack_outcomes(outcomes, info), info);
      REQUIRE(back.size() == outcomes.size());
      for (size_t i = 0; i < outcomes.size(); ++i) {
        CHECK(back[i].outcome == outcomes[i].outcome);
        CHECK(back[i].is_done == outcomes[i].is_done);
        CHECK(back[i].fired == outcomes[i].fired);
        CHECK(back[i].golden_right == outcomes[i].golden_right);
        CHECK(back[i].faulty_right == outcomes[i].faulty_right);
      }
    }
  }
}

TEST_CASE("bytes that end within a trial are refused") {
  CHECK_THROWS_AS(unpack_outcomes({0, 0, 0}, with_criteria(7)), InternalError);
}

}  // namespace
}  // namespace faultwave
