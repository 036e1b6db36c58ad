// SPDX-License-Identifier: Apache-2.0
// Every way of sampling against the truth, which a small population gives by enumeration.
#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "faultwave/campaign.h"
#include "faultwave/report.h"

#include "tests/campaign/fake_engine.h"
#include "tests/campaign/small_campaigns.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

/// A network in which a flip of bit 30 of "conv" changes the top class for half of the elements and one input
/// in two, a sign flip of "fc" for all, and nothing else does anything.
class BitEngine : public Engine {
 public:
  static bool is_sdc(const Fault& fault, int64_t input) {
    const std::string model = fault.model->text();
    if (fault.site == "fc") return model == "flip(31)";
    return model == "flip(30)" && fault.location.boxes[0].axes[2].begin % 2 == 0 && input % 2 == 0;
  }

  void run(const std::vector<Trial>& trials, const TrialSink& sink) override {
    static const at::Tensor golden = at::tensor({4.0, 0.0});
    static const at::Tensor changed = at::tensor({4.0, 8.0});
    for (size_t i = 0; i < trials.size(); ++i) {
      TrialOutputs outputs;
      outputs.golden = {golden};
      outputs.faulty = {is_sdc(trials[i].faults[0], trials[i].input) ? changed : golden};
      sink(i, outputs);
    }
  }
};

/// Inputs 0 to 6, so that four of seven are even. conv: 24 values, half of them hit; fc: 6 values; 32 bits
/// each.
constexpr double kConv = 0.5 * 4 / 7 / 32;
constexpr double kFc = 1.0 / 32;
constexpr double kOverBits = (24 * kConv + 6 * kFc) / 30;
constexpr double kOverLayers = (kConv + kFc) / 2;

Summary run(const TempFolder& folder, const Specification& spec, GroupBy by = GroupBy::layer) {
  static int number = 0;
  const Campaign campaign = fake_campaign(std::make_shared<BitEngine>(), spec);
  Store store = Store::create(folder / (std::to_string(number++) + ".db"), campaign.info(spec, ""));
  REQUIRE(campaign.run(store, never, {}));
  return summarize(store, by);
}

/// Checks that the mean estimate over many seeds is the truth, within four standard errors.
void check_unbiased(DrawRule rule, double truth) {
  const TempFolder folder;
  constexpr int kCampaigns = 60;
  double sum = 0;
  double squares = 0;
  int covered = 0;
  for (int seed = 1; seed <= kCampaigns; ++seed) {
    const Interval rate = run(folder, small_blocks(rule, 1024, static_cast<uint64_t>(seed))).overall.rates[0];
    sum += rate.estimate;
    squares += rate.estimate * rate.estimate;
    covered += rate.low <= truth && truth <= rate.high;
  }
  const double mean = sum / kCampaigns;
  const double error = std::sqrt((squares / kCampaigns - mean * mean) / kCampaigns);
  CAPTURE(mean);
  CHECK(std::abs(mean - truth) < 4 * error);
  CHECK(error < truth);  // otherwise the check above says nothing
  CHECK(covered >= kCampaigns - 3);
}

TEST_CASE("uniform over bits estimates the mean over bits") {
  check_unbiased(DrawRule::bits, kOverBits);
}

TEST_CASE("uniform over layers estimates the mean over layers") {
  check_unbiased(DrawRule::layers, kOverLayers);
}

TEST_CASE("stratified with adapting shares estimates the mean over bits all the same") {
  check_unbiased(DrawRule::stratified, kOverBits);
}

TEST_CASE(
    "an exhaustive campaign gives the truth itself, over all, by layer, bit, channel, class and input") {
  const TempFolder folder;
  const Specification spec = small_blocks(DrawRule::exhaustive, 0);
  const Summary by_layer = run(folder, spec);
  CHECK(by_layer.interval == IntervalKind::exact);
  CHECK(by_layer.overall.tally.trials == 7 * 30 * 32);
  CHECK(by_layer.overall.rates[0].estimate == doctest::Approx(kOverBits).epsilon(1e-12));
  CHECK(by_layer.overall.rates[0].low == by_layer.overall.rates[0].high);
  CHECK(by_layer.groups[0].rates[0].estimate == doctest::Approx(kConv).epsilon(1e-12));
  CHECK(by_layer.groups[1].rates[0].estimate == doctest::Approx(kFc).epsilon(1e-12));

  const Summary by_bit = run(folder, spec, GroupBy::bit);
  REQUIRE(by_bit.groups.size() == 32);
  CHECK(by_bit.groups[31].name == "flip(31)");
  CHECK(by_bit.groups[31].rates[0].estimate == doctest::Approx(6.0 / 30).epsilon(1e-12));
  CHECK(by_bit.groups[30].rates[0].estimate == doctest::Approx(24.0 / 30 * kConv * 32).epsilon(1e-12));
  CHECK(by_bit.groups[5].rates[0].estimate == 0);

  const Summary by_channel = run(folder, spec, GroupBy::channel);
  REQUIRE(by_channel.groups.size() == 2 + 6);
  CHECK(by_channel.groups[0].name == "output:conv[ch=0]");
  CHECK(by_channel.groups[0].tally.trials == 7 * 12 * 32);

  const Summary by_input = run(folder, spec, GroupBy::input);
  REQUIRE(by_input.groups.size() == 7);
  CHECK(by_input.groups[1].rates[0].estimate == doctest::Approx(6 * kFc / 30).epsilon(1e-12));
  const Summary by_class = run(folder, spec, GroupBy::golden_class);
  REQUIRE(by_class.groups.size() == 1);
  CHECK(by_class.groups[0].name == "class 0");
}

TEST_CASE("a stratified campaign's intervals by part hold the truth of the part") {
  const TempFolder folder;
  const Specification spec = small_blocks(DrawRule::stratified, 20'000);
  const auto holds = [](const RateGroup& group, double truth) {
    CAPTURE(group.name);
    CHECK(group.rates[0].low <= truth);
    CHECK(group.rates[0].high >= truth);
    CHECK(group.rates[0].high - group.rates[0].low < 0.15);
  };
  const Summary by_layer = run(folder, spec);
  CHECK(by_layer.interval == IntervalKind::sequential);
  holds(by_layer.overall, kOverBits);
  holds(by_layer.groups[0], kConv);
  holds(by_layer.groups[1], kFc);
  holds(run(folder, spec, GroupBy::bit).groups[31], 6.0 / 30);
  const Summary by_input = run(folder, spec, GroupBy::input);
  holds(by_input.groups[0], (24 * 0.5 / 32 + 6 * kFc) / 30);
  holds(by_input.groups[1], 6 * kFc / 30);
}

TEST_CASE("stratified needs a narrower interval's trials less than uniform, and both stop by it") {
  const TempFolder folder;
  Specification spec = small_blocks(DrawRule::stratified, 0);
  spec.stop.half_width = 0.004;
  const Summary stratified = run(folder, spec);
  CHECK(stratified.ended == "half width");
  const Interval rate = stratified.overall.rates[0];
  CHECK((rate.high - rate.low) / 2 <= 0.004);
  CHECK(rate.low <= kOverBits);
  CHECK(rate.high >= kOverBits);
  spec.draw = DrawRule::bits;
  const Summary uniform = run(folder, spec);
  CHECK(uniform.ended == "half width");
  CHECK(uniform.interval == IntervalKind::sequential);
  CHECK(stratified.overall.tally.trials * 2 < uniform.overall.tally.trials);
}

TEST_CASE("cancelled again and again, an adaptive campaign ends as an unbroken one") {
  const TempFolder folder;
  Specification spec = small_blocks(DrawRule::stratified, 2'000);
  spec.batch = 16;  // a call of the engine is a block
  const Campaign whole = fake_campaign(std::make_shared<BitEngine>(), spec);
  Store unbroken = Store::create(folder / "a.db", whole.info(spec, ""));
  REQUIRE(whole.run(unbroken, never, {}));

  Store broken = Store::create(folder / "b.db", whole.info(spec, ""));
  int runs = 0;
  for (bool is_done = false; !is_done; ++runs) {
    std::atomic<bool> cancel{false};
    int calls = 0;
    is_done = whole.run(broken, when(cancel), [&](const Progress&) { cancel = ++calls > runs % 3; });
  }
  CHECK(runs > 10);
  CHECK(text_of(broken) == text_of(unbroken));
}

TEST_CASE("blocks that ran elsewhere and out of order give the same campaign") {
  const Specification spec = small_blocks(DrawRule::stratified, 2'000);
  check_same_out_of_order(fake_campaign(std::make_shared<BitEngine>(), spec), spec);
}

TEST_CASE("only events have rows where the specification says so, and the export knows the other trials") {
  const TempFolder folder;
  Specification spec = small_blocks(DrawRule::bits, 640);
  spec.keep = "events";
  const Campaign campaign = fake_campaign(std::make_shared<BitEngine>(), spec);
  Store store = Store::create(folder / "a.db", campaign.info(spec, ""));
  REQUIRE(campaign.run(store, never, {}));
  const auto sdc = summarize(store).overall.tally.classes[static_cast<size_t>(OutcomeClass::sdc)];
  CHECK(sdc > 0);
  CHECK(static_cast<int64_t>(store.rows(0, 640).size()) == sdc);
  std::ostringstream csv;
  write_csv(store, csv);
  const std::string text = csv.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 641);
  for (int64_t k = 0; k < 640; k += 97)
    check_contains(text, to_string(campaign.draw(k).faults));
}

}  // namespace
}  // namespace faultwave
