// SPDX-License-Identifier: Apache-2.0
// An engine whose outputs are right but for rounding, beside one whose outputs are right.
#include <filesystem>
#include <sstream>

#include <doctest/doctest.h>

#include "faultwave/report.h"

#include "tests/campaign/fake_engine.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

const CancelCheck never;

/// The fake network, seen through rounding and through mistakes of the engine.
class RoundingEngine : public FakeEngine {
 public:
  using Mistake = std::function<void(const Trial&, TrialOutputs&)>;

  explicit RoundingEngine(Mistake mistake = {}) : mistake_(std::move(mistake)) {}

  void run(const std::vector<Trial>& trials, const TrialSink& sink) override {
    FakeEngine::run(trials, [&](size_t index, TrialOutputs outputs) {
      outputs.rounding = 0x1p-17;
      if (mistake_) mistake_(trials[index], outputs);
      sink(index, outputs);
    });
  }

 private:
  Mistake mistake_;
};

struct Engines {
  std::shared_ptr<RoundingEngine> rounding;
  std::shared_ptr<FakeEngine> exact = std::make_shared<FakeEngine>();
};

Campaign campaign_of(const Engines& engines, double audit) {
  Specification spec = fake_specification();
  spec.audit = audit;
  const Campaign plain = fake_campaign(engines.rounding, spec);
  CampaignParts parts = plain.parts();
  parts.exact = engines.exact;
  return Campaign(spec, std::move(parts));
}

std::string csv_of(const Store& store) {
  std::ostringstream text;
  write_csv(store, text);
  return text.str();
}

std::string run(const Engines& engines, const std::string& path, double audit = 0) {
  const Campaign campaign = campaign_of(engines, audit);
  Store store = Store::create(path, campaign.info(campaign.specification(), ""));
  REQUIRE(campaign.run(store, never, {}));
  return csv_of(store);
}

int64_t trials_in(const FakeEngine& engine) {
  int64_t trials = 0;
  for (const auto& call : engine.calls)
    trials += static_cast<int64_t>(call.size());
  return trials;
}

/// Lifts the runner-up of benign trials to a hair above the top: a wrong verdict, near its border.
void nearly_tie(const Trial& trial, TrialOutputs& outputs) {
  if (FakeEngine::effect_of(trial.faults[0]) != FakeEngine::Effect::benign) return;
  const int64_t top = FakeEngine::golden_class(trial.input);
  outputs.faulty[0][(top + 1) % 4] = 4.00001F;
}

/// Lifts it clear of the border.
void lie(const Trial& trial, TrialOutputs& outputs) {
  if (FakeEngine::effect_of(trial.faults[0]) != FakeEngine::Effect::benign) return;
  const int64_t top = FakeEngine::golden_class(trial.input);
  outputs.faulty[0][(top + 1) % 4] = 5;
}

TEST_CASE("trials near a border are decided by the exact engine, and no others") {
  const TempFolder folder;
  const std::string truth = run({std::make_shared<RoundingEngine>()}, folder / "truth.db");
  const Engines engines{std::make_shared<RoundingEngine>(nearly_tie)};
  CHECK(run(engines, folder / "a.db") == truth);
  const Store store = Store::open(folder / "a.db", Store::Access::read);
  CHECK(trials_in(*engines.exact) > 0);
  CHECK(trials_in(*engines.exact) < 50);
  CHECK(store.engine_counts().decided_again == trials_in(*engines.exact));
  CHECK(store.engine_counts().audited == 0);
  const std::string text = text_report(summarize(store));
  CHECK(text.find(" near a border decided by real faulty runs") != std::string::npos);
}

TEST_CASE("an audit of engines that agree changes nothing, and is counted") {
  const TempFolder folder;
  const std::string truth = run({std::make_shared<RoundingEngine>()}, folder / "truth.db");
  const Engines engines{std::make_shared<RoundingEngine>()};
  CHECK(run(engines, folder / "a.db", 0.5) == truth);
  const Store store = Store::open(folder / "a.db", Store::Access::read);
  const EngineCounts counts = store.engine_counts();
  CHECK(counts.audited + counts.decided_again == trials_in(*engines.exact));
  CHECK(store.engine_counts().audited > 10);
  CHECK(store.engine_counts().audited < 40);
  CHECK(text_report(summarize(store)).find("audited by real faulty runs: all agree") != std::string::npos);
}

TEST_CASE("an audit that finds another outcome stops the campaign and keeps both outputs") {
  const TempFolder folder;
  const Engines engines{std::make_shared<RoundingEngine>(lie)};
  const Campaign campaign = campaign_of(engines, 1);
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  const std::string message = error_of(ErrorCode::mismatch, [&] { campaign.run(store, never, {}); });
  check_contains(message, "disagree on trial ");
  check_contains(message, "sdc (criteria 1) there and benign (criteria 0) here");
  check_contains(message, "a.db.disagreement.pt");
  CHECK(std::filesystem::file_size(folder / "a.db.disagreement.pt") > 0);
  CHECK(store.ended().empty());
}

TEST_CASE("an audit finds outputs that differ by more than rounding, whatever the outcome") {
  const auto shift = [](const Trial& trial, TrialOutputs& outputs) {
    if (FakeEngine::effect_of(trial.faults[0]) == FakeEngine::Effect::benign) outputs.faulty[0] += 0.01;
  };
  const TempFolder folder;
  const Campaign campaign = campaign_of({std::make_shared<RoundingEngine>(shift)}, 1);
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  check_contains(error_of(ErrorCode::mismatch, [&] { campaign.run(store, never, {}); }),
                 "output 0 differs by up to ");
}

TEST_CASE("an audit knows that a fault is as far apart in two runs as the value that it hit") {
  const auto scale = [](const Trial& trial, TrialOutputs& outputs, bool victim_too) {
    if (FakeEngine::effect_of(trial.faults[0]) != FakeEngine::Effect::benign) return;
    outputs.faulty[0] *= 1.001;
    if (victim_too) outputs.receipts[0].victims[0].after *= 1.001;
  };
  const TempFolder folder;
  const auto run_audited = [&](const std::string& name, bool victim_too) {
    const auto mistake = [=](const Trial& trial, TrialOutputs& outputs) {
      scale(trial, outputs, victim_too);
    };
    const Campaign campaign = campaign_of({std::make_shared<RoundingEngine>(mistake)}, 1);
    Store store = Store::create(folder / name, campaign.info(campaign.specification(), ""));
    return campaign.run(store, never, {});
  };
  CHECK(run_audited("a.db", true));
  check_contains(error_of(ErrorCode::mismatch, [&] { run_audited("b.db", false); }),
                 "output 0 differs by up to ");
}

TEST_CASE("counts of blocks add up, in a worker's bytes as well") {
  const TempFolder folder;
  const Engines engines{std::make_shared<RoundingEngine>(nearly_tie)};
  const Campaign campaign = campaign_of(engines, 0.3);
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  campaign.run(store, never, {});
  EngineCounts sum;
  for (int64_t block = 0; block < campaign_blocks(store.info()); ++block)
    sum += store.engine_counts(block);
  CHECK(sum.audited == store.engine_counts().audited);
  CHECK(sum.decided_again == store.engine_counts().decided_again);
  CHECK(sum.audited + sum.decided_again == trials_in(*engines.exact));
}

}  // namespace
}  // namespace faultwave
