// SPDX-License-Identifier: Apache-2.0
#include "src/report/fit_table.h"

#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/report.h"

#include "tests/support/expect_error.h"
#include "tests/support/sample_campaign.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

using doctest::Approx;

/// Ten trials, five on each site: "conv" (18 x 32 bits) has one SDC, "fc, last" (4 x 16 bits) two.
Store store_of(const std::string& path, const CampaignInfo& info = sample_info()) {
  Store store = sample_store(path, info);
  for (const Block& block : store.open_blocks(sample_round(info))) {
    BlockResult result{.block = block, .outcomes = {}, .rows = {}, .golden_classes = {}};
    for (int64_t trial = block.first_trial; trial < block.first_trial + block.trials; ++trial) {
      const bool is_sdc = trial == 0 || trial == 1 || trial == 3;
      TrialOutcome outcome;
      outcome.site = static_cast<int32_t>(trial % 2);
      outcome.outcome = is_sdc ? OutcomeClass::sdc : OutcomeClass::masked;
      outcome.fired = is_sdc ? 1 : 0;
      result.outcomes.push_back(outcome);
    }
    store.write_block(result, 0);
  }
  return store;
}

/// The sample campaign drawn over bits: 576 of 640 are in "conv".
CampaignInfo over_bits() {
  CampaignInfo info = sample_info();
  info.specification.draw = DrawRule::bits;
  info.draw = "bits";
  info.sites[0].probability = 0.9;
  info.sites[1].probability = 0.1;
  return info;
}

void check_interval(const Interval& actual, const Interval& rate, double factor) {
  CHECK(actual.estimate == Approx(factor * rate.estimate).epsilon(1e-12));
  CHECK(actual.low == Approx(factor * rate.low).epsilon(1e-12));
  CHECK(actual.high == Approx(factor * rate.high).epsilon(1e-12));
  CHECK(actual.confidence == rate.confidence);
}

TEST_CASE("a layer's FIT are its bits times its rate times the upsets of a bit") {
  const TempFolder folder;
  for (const CampaignInfo& info : {sample_info(), over_bits()}) {
    const Store store = store_of(folder / (info.draw + ".db"), info);
    const FitTable table = fit_table(store, 1000);
    CHECK(table.criterion == "top1");
    REQUIRE(table.layers.size() == 2);
    CHECK(table.layers[0].name == "output:conv");
    CHECK(table.layers[0].bits == 18 * 32);
    check_interval(table.layers[0].failures, clopper_pearson(1, 5, 0.95), 576e-6 * 1000);
    CHECK(table.layers[1].bits == 4 * 16);
    check_interval(table.layers[1].failures, clopper_pearson(2, 5, 0.95), 64e-6 * 1000);
    CHECK(table.total.bits == 640);
  }
}

TEST_CASE("the total of trials drawn over bits is that of the rate over all") {
  const TempFolder folder;
  const Store store = store_of(folder / "a.db", over_bits());
  const FitTable table = fit_table(store, 1000);
  CHECK(!table.is_sum_of_layers);
  check_interval(table.total.failures, clopper_pearson(3, 10, 0.95), 640e-6 * 1000);
}

TEST_CASE("the total of trials drawn over layers is the sum, with ends that hold together") {
  const TempFolder folder;
  const Store store = store_of(folder / "a.db");
  const FitTable table = fit_table(store, 1000);
  CHECK(table.is_sum_of_layers);
  // 0.576 x 1/5 + 0.064 x 2/5, each of two intervals at 97.5 %.
  CHECK(table.total.failures.estimate == Approx(0.1408));
  CHECK(table.total.failures.low ==
        Approx(0.576 * clopper_pearson(1, 5, 0.975).low + 0.064 * clopper_pearson(2, 5, 0.975).low));
  CHECK(table.total.failures.high ==
        Approx(0.576 * clopper_pearson(1, 5, 0.975).high + 0.064 * clopper_pearson(2, 5, 0.975).high));
  CHECK(table.total.failures.confidence == 0.95);
}

TEST_CASE("only flips of one bit a trial have FIT") {
  const TempFolder folder;
  int number = 0;
  const auto message = [&](const CampaignInfo& info) {
    const Store store = store_of(folder / (std::to_string(number++) + ".db"), info);
    return error_of(ErrorCode::usage, [&] { fit_table(store, 1000); });
  };
  for (const std::string error : {"zero", "random(-1,1)", "flip(3,5)", "flip(any=2)"}) {
    CampaignInfo info = sample_info();
    info.specification.error = error;
    info.error = error;
    info.choices = {error};
    check_contains(message(info),
                   "FIT is of upsets of single bits, and the trials of this campaign are not (" + error +
                       "): use a campaign of one `flip` a trial");
  }
  CampaignInfo several = sample_info();
  several.specification.faults_per_trial = 2;
  check_contains(message(several), "(several faults each)");
  CampaignInfo list = sample_info();
  list.specification.draw = DrawRule::list;
  list.specification.list = "faults.txt";
  list.specification.error = "";
  list.specification.trials = 0;
  list.draw = "list";
  list.error = "fault lines";
  list.list = std::vector<std::string>(4, "output:conv[0,0,0] flip(3)");  // on three inputs each
  check_contains(message(list), "(fault lines)");
}

TEST_CASE("flips of one bit are told by what the choices change") {
  const TempFolder folder;
  int number = 0;
  for (const std::string choice : {"flip(3)", "flip(int8:7)", "flip(int8:7,scale=0.5)"}) {
    CampaignInfo info = sample_info();
    info.specification.error = "flip(3)";
    info.error = "flip(3)";
    info.choices = {choice};
    const FitTable table = fit_table(store_of(folder / (std::to_string(number++) + ".db"), info), 1);
    CHECK(table.total.bits == 18 + 4);  // one bit of each value can be hit
  }
}

TEST_CASE("upsets that are no rate are refused") {
  const TempFolder folder;
  const Store store = store_of(folder / "a.db");
  for (const double upsets : {-1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    check_contains(error_of(ErrorCode::usage, [&] { fit_table(store, upsets); }), "FIT per megabit is");
  CHECK(fit_table(store, 0).total.failures.high == 0);
}

FitTable sample_table() {
  return {.fit_per_megabit = 300,
          .criterion = "top1",
          .total = {"(all)", 1'500'000, {5.5, 4.25, 7, 0.99}},
          .is_sum_of_layers = true,
          .layers = {{"output:conv", 1'400'000, {1.5, 0, 2.5, 0.99}},
                     {"output:fc", 100'000, {4, 3.125, 1234.5, 0.99}}}};
}

TEST_CASE("the text lists the layer with the most FIT first and says what it rests on") {
  CHECK(fit_text(sample_table()) ==
        R"(FIT         failures in 10^9 hours: bits x rate of top1 x 300 FIT per Mbit of 10^6 bits
            the total is the sum over layers, its ends those of intervals that hold together

layer, most FIT first       bits              FIT
(all)                  1,500,000    5.5 [4.25, 7]
output:fc                100,000  4 [3.12, 1,230]
output:conv            1,400,000     1.5 [0, 2.5]
)");
}

TEST_CASE("layers are ordered by the FIT that they have at least") {
  FitTable table = sample_table();
  table.layers[0].failures = {900, 0.5, 4000, 0.99};  // one event in one trial
  const std::string text = fit_text(table);
  CHECK(text.find("output:fc") < text.find("output:conv"));
}

TEST_CASE("JSON gains the key fit") {
  const nlohmann::json json = nlohmann::json::parse(with_fit("{\"trials\": 10}", sample_table()));
  CHECK(json["trials"] == 10);
  CHECK(json["fit"]["fit_per_megabit"] == 300);
  CHECK(json["fit"]["bits_per_megabit"] == 1e6);
  CHECK(json["fit"]["criterion"] == "top1");
  CHECK(json["fit"]["total"] ==
        nlohmann::json(
            {{"bits", 1'500'000}, {"estimate", 5.5}, {"low", 4.25}, {"high", 7.0}, {"confidence", 0.99}}));
  REQUIRE(json["fit"]["layers"].size() == 2);
  CHECK(json["fit"]["layers"][1]["name"] == "output:fc");
  CHECK(json["fit"]["layers"][1]["estimate"] == 4.0);
}

}  // namespace
}  // namespace faultwave
