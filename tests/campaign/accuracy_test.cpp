// SPDX-License-Identifier: Apache-2.0
// Accuracies against what the fake network's whole population has.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/report.h"

#include "tests/campaign/fake_engine.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

const CancelCheck never;

// Golden classes are 0, 1, 2, 3, 0, 1, 2: five of seven are right. Of 30 neurons with bits alike, 8 lift the
// class behind the golden one to the top, one makes class 0 NaN, one crashes. So of 7 x 30 pairs of input and
// neuron 10 + 9 + 9 + 9 + 10 lose a right answer, and the 8 of the last input win one.
const std::vector<int64_t> labels = {0, 1, 2, 3, 0, 0, 3};
constexpr double kGolden = 5.0 / 7;
constexpr double kLost = 47.0 / 210;
constexpr double kWon = 8.0 / 210;

Summary summary_of(const std::string& path, const Specification& spec) {
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>(), spec, nullptr, labels);
  Store store = Store::create(path, campaign.info(spec, ""));
  campaign.run(store, never, {});
  return summarize(Store::open(path, Store::Access::read));
}

TEST_CASE("every fault on every input gives the accuracies themselves") {
  const TempFolder folder;
  Specification spec = fake_specification();
  spec.draw = DrawRule::exhaustive;
  spec.trials = 0;
  const Summary summary = summary_of(folder / "a.db", spec);
  REQUIRE(summary.accuracy);
  CHECK(summary.accuracy->inputs == 7);
  CHECK(summary.accuracy->golden() == kGolden);
  CHECK(summary.accuracy->lost.estimate == doctest::Approx(kLost).epsilon(1e-12));
  CHECK(summary.accuracy->won.estimate == doctest::Approx(kWon).epsilon(1e-12));
  CHECK(summary.accuracy->lost.low == summary.accuracy->lost.high);
  CHECK(summary.accuracy->faulty() == doctest::Approx(kGolden - kLost + kWon).epsilon(1e-12));
  const nlohmann::json json = nlohmann::json::parse(json_report(summary))["accuracy"];
  CHECK(json["golden"] == kGolden);
  CHECK(json["inputs"] == 7);
  CHECK(json["faulty"].get<double>() == doctest::Approx(111.0 / 210).epsilon(1e-12));
  CHECK(json["lost"]["high"].get<double>() == doctest::Approx(kLost));
}

TEST_CASE("golden accuracy is over inputs, and what faults do to it is weighed, however trials were drawn") {
  const TempFolder folder;
  for (const DrawRule draw : {DrawRule::bits, DrawRule::stratified}) {
    CAPTURE(to_string(draw));
    Specification spec = fake_specification();
    spec.draw = draw;
    spec.trials = 6000;
    spec.round = 600;
    spec.block = 600;
    const Summary summary = summary_of(folder / (std::string(to_string(draw)) + ".db"), spec);
    REQUIRE(summary.accuracy);
    const Accuracy& accuracy = *summary.accuracy;
    CHECK(accuracy.inputs == 7);
    CHECK(accuracy.golden() == kGolden);
    CHECK(accuracy.lost.low <= kLost);
    CHECK(accuracy.lost.high >= kLost);
    CHECK(accuracy.won.low <= kWon);
    CHECK(accuracy.won.high >= kWon);
    CHECK(std::abs(accuracy.faulty() - 111.0 / 210) < 0.03);
  }
}

}  // namespace
}  // namespace faultwave
