// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/report.h"

#include "tests/support/expect_error.h"
#include "tests/support/sample_campaign.h"

namespace faultwave {
namespace {

RateGroup group(const std::string& name, int64_t trials, int64_t top1, double confidence) {
  RateGroup result;
  result.name = name;
  result.tally = Tally(2);
  result.tally.trials = trials;
  result.tally.fired = {top1, 0};
  result.tally.classes = {trials - top1, 0, top1, 0};
  result.rates = {clopper_pearson(top1, trials, confidence), clopper_pearson(0, trials, confidence)};
  return result;
}

/// 1,000 trials on "conv" with 5 SDCs, 200 on "fc, last" with 20, none on "idle".
Summary sample_summary() {
  Summary summary;
  summary.info = sample_info();
  summary.info.trials = 1200;
  summary.info.seed = 7;
  summary.info.sites.push_back({SiteKind::output, "idle", "aten::relu", "float32", {1}, 1, 32, 0, 0.0});
  summary.groups = {group("output:conv", 1000, 5, 0.95), group("output:fc, last", 200, 20, 0.95),
                    group("output:idle", 0, 0, 0.95)};
  summary.overall = group("(all)", 1200, 25, 0.95);
  return summary;
}

TEST_CASE("the text says what the numbers are of, and lists the worst layer first") {
  // Bits: 18 * 32 + 4 * 16 + 1 * 32 = 672. Intervals: by bisection on the binomial tails.
  CHECK(text_report(sample_summary()) == R"(Trials      1,200
Population  3 output sites with 23 values of 672 bits; 3 inputs
Sampling    input, then layer, then value, each uniformly: rates over all are means over layers, not over bits; seed 7
Error       flip
Criteria    top1, nonfinite
Intervals   95 %, Clopper-Pearson
Outcomes    masked 1,175 (97.92 %), benign 0 (0.00 %), sdc 25 (2.08 %), due 0 (0.00 %)

layer, worst first  trials                   top1            nonfinite
(all)                1,200    2.08 % [1.35, 3.06]  0.00 % [0.00, 0.31]
output:fc, last        200  10.00 % [6.22, 15.02]  0.00 % [0.00, 1.83]
output:conv          1,000    0.50 % [0.16, 1.16]  0.00 % [0.00, 0.37]
No trial fell on 1 layer.
)");
}

TEST_CASE("a layer is as bad as its rate is at least: one event in one trial is not the worst") {
  Summary summary = sample_summary();
  summary.groups = {group("output:one", 1, 1, 0.95),        // 2.5 % at least
                    group("output:two", 40, 8, 0.95),       // 9.05 %
                    group("output:three", 1000, 60, 0.95),  // 4.6 %
                    group("output:four", 3, 0, 0.95), group("output:five", 300, 0, 0.95)};
  const std::string text = text_report(summary);
  size_t place = 0;
  for (const char* layer : {"output:two", "output:three", "output:one", "output:five", "output:four"}) {
    CAPTURE(layer);
    const size_t found = text.find(layer);
    REQUIRE(found != std::string::npos);
    CHECK(found > place);
    place = found;
  }
}

TEST_CASE("a table too wide for the terminal goes on below, and long lines are broken") {
  Summary summary = sample_summary();
  const std::string text = text_report(summary, 0, 60);
  std::istringstream lines(text);
  size_t longest = 0;
  for (std::string line; std::getline(lines, line);)
    longest = std::max(longest, line.size());
  CHECK(longest <= 60);
  check_contains(text,
                 "\nSampling    input, then layer, then value, each uniformly:\n            rates over");
  check_contains(text, R"(
layer, worst first  trials                   top1
(all)                1,200    2.08 % [1.35, 3.06]
output:fc, last        200  10.00 % [6.22, 15.02]
output:conv          1,000    0.50 % [0.16, 1.16]

layer, worst first            nonfinite
(all)               0.00 % [0.00, 0.31]
output:fc, last     0.00 % [0.00, 1.83]
output:conv         0.00 % [0.00, 0.37]
)");
}

TEST_CASE("layers beyond a limit are counted, unfinished campaigns and labels are mentioned") {
  Summary summary = sample_summary();
  summary.info.trials = 2000;
  summary.info.draw = "bits";
  summary.accuracy = {.inputs = 4,
                      .golden_right = 3,
                      .lost = clopper_pearson(25, 1200, 0.95),
                      .won = clopper_pearson(0, 1200, 0.95)};
  const std::string text = text_report(summary, 1);
  check_contains(text, "Trials      1,200 of 2,000 (not finished)\n");
  check_contains(text, "Sampling    input, then bit, each uniformly over all; seed 7\n");
  check_contains(text,
                 "Accuracy    golden 75.00 % of 4 inputs, faulty 72.92 %: right answers lost 2.08 % "
                 "[1.35, 3.06], won 0.00 % [0.00, 0.31]\n");
  check_contains(text, "... and 1 layer more\n");
  CHECK(!contains(text, "output:conv"));
}

TEST_CASE("where not all inputs are drawn from, both numbers are told") {
  Summary summary = sample_summary();
  summary.info.eligible_inputs = {0, 2};
  check_contains(text_report(summary), "; 2 of 3 inputs, those that the network gets right\n");
  const nlohmann::json json = nlohmann::json::parse(json_report(summary));
  CHECK(json["campaign"]["inputs"] == 3);
  CHECK(json["campaign"]["inputs_drawn_from"] == 2);
}

TEST_CASE("JSON has the published keys") {
  const nlohmann::json json = nlohmann::json::parse(json_report(sample_summary()));
  CHECK(json["trials"] == 1200);
  CHECK(
      json["classes"] ==
      nlohmann::json({{"masked", 1175}, {"benign", 0}, {"sdc", 25}, {"due", 0}, {"crash", 0}, {"hang", 0}}));
  const nlohmann::json& top1 = json["outcomes"]["top1"];
  CHECK(top1["count"] == 25);
  CHECK(top1["estimate"].get<double>() == doctest::Approx(25.0 / 1200));
  CHECK(top1["low"].get<double>() == doctest::Approx(0.01353).epsilon(0.001));
  CHECK(top1["high"].get<double>() == doctest::Approx(0.03059).epsilon(0.001));
  CHECK(top1["confidence"] == 0.95);
  REQUIRE(json["layers"].size() == 3);
  CHECK(json["layers"][1]["site"] == "fc, last");
  CHECK(json["layers"][1]["kind"] == "output");
  CHECK(json["layers"][1]["trials"] == 200);
  CHECK(json["layers"][1]["outcomes"]["top1"]["count"] == 20);
  CHECK(json["layers"][2]["outcomes"]["top1"]["high"] == 1.0);
  CHECK(json["campaign"]["rate_over_all"] == "mean over layers");
  CHECK(json["campaign"]["inputs_drawn_from"] == 3);
  CHECK(!json.contains("accuracy"));
}

}  // namespace
}  // namespace faultwave
