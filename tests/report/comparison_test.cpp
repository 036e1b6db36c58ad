// SPDX-License-Identifier: Apache-2.0
#include "faultwave/comparison.h"

#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/campaign.h"

#include "tests/support/expect_error.h"
#include "tests/support/sample_campaign.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

using doctest::Approx;

/// The sample campaign with a text of its specification replaced.
CampaignInfo info_with(const std::string& old_text, const std::string& new_text) {
  CampaignInfo info = sample_info();
  std::string text = to_string(info.specification);
  text.replace(text.find(old_text), old_text.size(), new_text);
  info.specification = parse_recorded_specification(text, "the changed sample");
  return info;
}

/// A campaign in which "top1" fires in the named trials and nothing else does. Of its blocks the first
/// `blocks` are done.
Store store_of(const std::string& path, const std::set<int64_t>& events,
               const CampaignInfo& info = sample_info(), int64_t blocks = 3) {
  Store store = sample_store(path, info);
  for (const Block& block : store.open_blocks(sample_round(info))) {
    if (block.number >= blocks) break;
    BlockResult result{.block = block, .outcomes = {}, .rows = {}, .golden_classes = {}};
    for (int64_t i = 0; i < block.trials; ++i) {
      TrialOutcome outcome;
      if (events.count(block.first_trial + i) != 0) outcome.outcome = OutcomeClass::sdc;
      outcome.fired = events.count(block.first_trial + i) != 0 ? 1 : 0;
      result.outcomes.push_back(outcome);
    }
    store.write_block(result, 0);
  }
  return store;
}

/// How a comparison with the plain sample campaign is refused.
std::string refusal(const CampaignInfo& info, int64_t blocks = 3) {
  const TempFolder folder;
  const Store first = store_of(folder / "a.db", {});
  const Store second = store_of(folder / "b.db", {}, info, blocks);
  return error_of(ErrorCode::mismatch, [&] { compare(first, second); });
}

TEST_CASE("trials are paired by number") {
  const TempFolder folder;
  const Store first = store_of(folder / "a.db", {0, 1, 2, 3, 4});
  const Store second = store_of(folder / "b.db", {3, 4, 5});
  const Comparison comparison = compare(first, second);
  CHECK(comparison.pairs == 10);
  CHECK(comparison.confidence == 0.95);
  CHECK(!comparison.is_exact);
  CHECK(comparison.is_fixed);
  REQUIRE(comparison.criteria.size() == 2);
  const ComparedCriterion& top1 = comparison.criteria[0];
  CHECK(top1.name == "top1");
  CHECK(top1.counts.both == 2);
  CHECK(top1.counts.first_only == 3);
  CHECK(top1.counts.second_only == 1);
  CHECK(top1.counts.neither == 4);
  // Of 2^4 ways to share out the four that differ, 1 + 4 have at most one on this side.
  CHECK(top1.p_value == Approx(2 * 5.0 / 16));
  CHECK(top1.worse == Worse::untold);
  CHECK(top1.difference.estimate == Approx(0.2));
  // Published intervals for 5 and 3 of 10 at 95 %.
  CHECK(top1.first.low == Approx(0.1871).epsilon(0.001));
  CHECK(top1.first.high == Approx(0.8129).epsilon(0.001));
  CHECK(top1.second.low == Approx(0.0667).epsilon(0.001));
  CHECK(top1.second.high == Approx(0.6525).epsilon(0.001));
  CHECK(comparison.criteria[1].counts.neither == 10);
  CHECK(comparison.criteria[1].p_value == 1);
}

TEST_CASE("a network is called worse where the test tells it") {
  const TempFolder folder;
  const Store few = store_of(folder / "few.db", {0});
  const Store five = store_of(folder / "five.db", {1, 2, 3, 4, 5});
  const Store six = store_of(folder / "six.db", {1, 2, 3, 4, 5, 6});
  const Store none = store_of(folder / "none.db", {});
  // At 95 %: of five that differ all on one side have p = 2 / 32, of six 2 / 64.
  CHECK(compare(five, none).criteria[0].worse == Worse::untold);
  CHECK(compare(six, none).criteria[0].worse == Worse::first);
  CHECK(compare(none, six).criteria[0].worse == Worse::second);
  CHECK(compare(few, six).criteria[0].p_value == Approx(2 * 8.0 / 128));
  CHECK(compare(few, six).criteria[0].worse == Worse::untold);
}

TEST_CASE("only trials that both have done are paired") {
  const TempFolder folder;
  CampaignInfo longer = info_with("trials = 10", "trials = 40");
  longer.trials = 40;
  const Store first = store_of(folder / "a.db", {0, 9, 20, 30}, longer, 10);
  const Store second = store_of(folder / "b.db", {0, 5}, sample_info(), 2);
  const Comparison comparison = compare(first, second);
  CHECK(comparison.first_trials == 40);
  CHECK(comparison.second_trials == 8);
  CHECK(comparison.pairs == 8);
  CHECK(comparison.criteria[0].counts.both == 1);
  CHECK(comparison.criteria[0].counts.first_only == 0);
  CHECK(comparison.criteria[0].counts.second_only == 1);
  CHECK(compare(second, first).criteria[0].counts.first_only == 1);
}

TEST_CASE("blocks of other sizes, and other networks and criteria, do not matter") {
  const TempFolder folder;
  CampaignInfo other = info_with("block = 4", "block = 3");
  other.block = 3;
  other.model_fingerprint = "protected";
  other.criteria = {"nonfinite", "top1", "top5"};
  other.criteria_text = other.criteria;
  const Store first = store_of(folder / "a.db", {1, 6});
  const Store second = store_of(folder / "b.db", {6}, other, 4);  // fires "nonfinite"
  const Comparison comparison = compare(first, second);
  REQUIRE(comparison.criteria.size() == 2);
  CHECK(comparison.criteria[0].name == "top1");
  CHECK(comparison.criteria[0].counts.first_only == 2);
  CHECK(comparison.criteria[1].name == "nonfinite");
  CHECK(comparison.criteria[1].counts.second_only == 1);
}

TEST_CASE("other faults are refused, naming the first trial that has one") {
  CampaignInfo renamed = sample_info();
  renamed.sites[1].name = "fc";
  const Sampler ours = recorded_sampler(sample_info());
  const Sampler theirs = recorded_sampler(renamed);
  const auto text = [](const Sampler::Drawn& drawn) {
    return to_string(drawn.trial.faults) + " on input " + std::to_string(drawn.located.input);
  };
  int64_t trial = 0;
  while (text(ours.draw(trial, {})) == text(theirs.draw(trial, {})))
    ++trial;
  REQUIRE(trial > 0);  // so that it is not just any
  REQUIRE(trial < 10);
  check_contains(refusal(renamed), "trial " + std::to_string(trial) + " is " + text(ours.draw(trial, {})) +
                                       " in one and " + text(theirs.draw(trial, {})) + " in the other");

  CampaignInfo fewer = sample_info();
  fewer.inputs = 2;
  check_contains(refusal(fewer), " in one and ");
}

TEST_CASE("campaigns that cannot have the same faults are refused with what differs") {
  CampaignInfo seed = info_with("seed = 7", "seed = 8");
  seed.seed = 8;
  check_contains(refusal(seed), "seed is 18446744073709551615 in one and 8 in the other");
  CampaignInfo error = info_with("\"flip\"", "\"zero\"");
  error.error = "zero";
  check_contains(refusal(error), "error is flip in one and zero in the other");
  CampaignInfo draw = info_with("\"layers\"", "\"bits\"");
  draw.draw = "bits";
  check_contains(refusal(draw), "draw is layers in one and bits in the other");
  CampaignInfo inputs = info_with("images.npy", "others.npy");
  inputs.inputs_fingerprint = "other";
  check_contains(refusal(inputs), "their inputs, 'images.npy' and 'others.npy', differ");
  CampaignInfo stratified = info_with("\"layers\"", "\"stratified\"");
  stratified.draw = "stratified";
  stratified.strata = {{.name = "all", .site = 0, .first_choice = 0, .choices = 32, .weight = 1}};
  check_contains(refusal(stratified), "b.db' are stratified and do not count alike");
  CampaignInfo criteria = sample_info();
  criteria.criteria = criteria.criteria_text = {"top5"};
  check_contains(refusal(criteria), "they have no criterion in common");
  check_contains(refusal(sample_info(), 0), "no finished trial is in both");
}

TEST_CASE("campaigns that stop by their results have no fixed number of pairs") {
  const TempFolder folder;
  const CampaignInfo stopping = [] {
    CampaignInfo info = sample_info();
    info.specification.stop.half_width = 0.1;
    return info;
  }();
  const Store first = store_of(folder / "a.db", {1}, stopping);
  const Store second = store_of(folder / "b.db", {2});
  CHECK(!compare(first, second).is_fixed);
  CHECK(!compare(second, first).is_fixed);
  check_contains(text_report(compare(first, second)), "so take both as approximate");
}

TEST_CASE("where every fault was tried the rates are exact") {
  const TempFolder folder;
  CampaignInfo all = sample_info();
  all.specification.trials = 0;
  all.specification.draw = DrawRule::exhaustive;
  all.specification.error = "flip(3)";
  all.draw = "exhaustive";
  all.error = "flip(3)";
  all.choices = {"flip(3)"};
  all.trials = 3 * 22;
  const Store first = store_of(folder / "a.db", {0, 1, 2}, all, 17);
  const Store second = store_of(folder / "b.db", {2}, all, 17);
  const Comparison comparison = compare(first, second);
  CHECK(comparison.is_exact);
  CHECK(comparison.criteria[0].worse == Worse::first);
  CHECK(comparison.criteria[1].worse == Worse::untold);
  CHECK(comparison.criteria[0].difference.low == Approx(2.0 / 66));
  CHECK(comparison.criteria[0].difference.high == Approx(2.0 / 66));
  check_contains(text_report(comparison), "none: every fault was tried on both");
  CHECK(nlohmann::json::parse(json_report(comparison))["criteria"]["top1"]["p_value"].is_null());

  const Store unfinished = store_of(folder / "c.db", {2}, all, 16);
  CHECK(!compare(first, unfinished).is_exact);
}

/// Numbers that need no campaign: 3 pairs in 100 differ.
Comparison sample_comparison() {
  Comparison comparison;
  comparison.first = "a.db";
  comparison.second = "b.db";
  comparison.first_model = "plain.pt2";
  comparison.second_model = "protected.pt2";
  comparison.first_trials = 1200;
  comparison.second_trials = 1000;
  comparison.pairs = 1000;
  comparison.confidence = 0.95;
  ComparedCriterion top1;
  top1.name = "top1";
  top1.counts = {.both = 10, .first_only = 25, .second_only = 5, .neither = 960};
  top1.first = {0.035, 0.0245, 0.0484, 0.95};
  top1.second = {0.015, 0.0084, 0.0246, 0.95};
  top1.difference = {0.02, 0.006, 0.034, 0.95};
  top1.p_value = 0.000325;
  top1.worse = Worse::first;
  comparison.criteria = {top1};
  return comparison;
}

TEST_CASE("the text answers which is better") {
  CHECK(text_report(sample_comparison()) ==
        R"(A           a.db: plain.pt2, 1,200 trials
B           b.db: protected.pt2, 1,000 trials
Pairs       1,000 trials with the same fault on the same input
Intervals   95 % at least, rates Clopper-Pearson; p of McNemar's exact test, two-sided, told from 0.05 down

criterion  both  only A  only B  neither                    A                    B                A - B         p  worse
top1         10      25       5      960  3.50 % [2.45, 4.84]  1.50 % [0.84, 2.46]  2.00 % [0.60, 3.40]  0.000325      A
)");
}

TEST_CASE("JSON of a comparison has the published keys") {
  const nlohmann::json json = nlohmann::json::parse(json_report(sample_comparison()));
  CHECK(json["pairs"] == 1000);
  CHECK(json["first"] == nlohmann::json({{"database", "a.db"}, {"model", "plain.pt2"}, {"trials", 1200}}));
  CHECK(json["second"]["model"] == "protected.pt2");
  CHECK(json["confidence"] == 0.95);
  CHECK(json["exact"] == false);
  CHECK(json["fixed_pairs"] == true);
  const nlohmann::json& top1 = json["criteria"]["top1"];
  CHECK(top1["both"] == 10);
  CHECK(top1["first_only"] == 25);
  CHECK(top1["second_only"] == 5);
  CHECK(top1["neither"] == 960);
  CHECK(top1["first"] == nlohmann::json({{"estimate", 0.035}, {"low", 0.0245}, {"high", 0.0484}}));
  CHECK(top1["difference"]["low"] == 0.006);
  CHECK(top1["p_value"] == 0.000325);
  CHECK(top1["worse"] == "first");
}

}  // namespace
}  // namespace faultwave
