// SPDX-License-Identifier: Apache-2.0
// Campaigns on networks and inputs in memory.
#include <torch/types.h>
#include <torch/utils.h>

#include <doctest/doctest.h>

#include "faultwave/campaign.h"
#include "faultwave/error.h"
#include "faultwave/report.h"
#include "faultwave/trial_columns.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

/// Two inputs a trial: what is looked up, and what it is weighed by.
Experiment small_experiment() {
  at::manual_seed(4);
  const at::Tensor words = at::randn({10, 6});
  const at::Tensor weight = at::randn({4, 6});
  Experiment experiment;
  experiment.network = network_of(
      [=](const std::vector<c10::IValue>& in) {
        const at::Tensor found = at::embedding(words, in.at(0).toTensor());  // [N, 3, 6]
        return c10::IValue(at::linear((found * in.at(1).toTensor().unsqueeze(-1)).sum(1), weight));
      },
      {{"words", words}, {"head.weight", weight}});
  experiment.inputs = inputs_from_tensors({at::randint(10, {5, 3}, at::kLong), at::rand({5, 3})});
  experiment.labels = {0, 1, 2, 3, 0};
  return experiment;
}

Specification settings(const std::string& error = "flip") {
  Specification spec;
  spec.trials = 300;
  spec.block = 64;
  spec.error = error;
  spec.sites = {"*"};
  return spec;
}

TEST_CASE("a campaign in memory runs to its end, and its results come by column") {
  const Campaign campaign = open_campaign(small_experiment(), settings());
  const Store results = campaign.run();
  CHECK(results.ended() == "trials");
  const TrialColumns columns = trial_columns(results, *campaign.parts().sampler);
  REQUIRE(columns.trial.size() == 300);
  int64_t sdc = 0;
  for (size_t i = 0; i < columns.trial.size(); ++i) {
    CHECK(columns.trial[i] == static_cast<int64_t>(i));
    CHECK(columns.fault[i] == to_string(campaign.draw(columns.trial[i]).faults));
    sdc += columns.outcome[i] == OutcomeClass::sdc;
  }
  const Summary summary = summarize(results);
  CHECK(sdc > 0);
  CHECK(summary.overall.tally.of(OutcomeClass::sdc) == sdc);
  CHECK(summary.accuracy->inputs == 5);
}

TEST_CASE("both engines, and a database in a file, give the same outcomes") {
  Specification direct = settings();
  direct.engine = "direct";
  const Campaign by_wave = open_campaign(small_experiment(), settings());
  const Campaign by_direct = open_campaign(small_experiment(), direct);
  REQUIRE(by_wave.parts().wave_report);
  const Store wave = by_wave.run();
  const TrialColumns first = trial_columns(wave, *by_wave.parts().sampler);
  const TrialColumns second = trial_columns(by_direct.run(), *by_direct.parts().sampler);
  CHECK((first.outcome == second.outcome));
  CHECK(first.fired == second.fired);
  CHECK(by_wave.parts().wave_report().trials > 0);

  const TempFolder folder;
  Store file = Store::create(folder / "a.db", by_wave.info(by_wave.specification(), ""));
  REQUIRE(by_wave.run(file));
  const Store read = Store::open(folder / "a.db", Store::Access::read);
  CHECK(text_report(summarize(read)) == text_report(summarize(wave)));
  CHECK_NOTHROW(check_same_campaign(read.info(), by_wave.info(by_wave.specification(), ""), "a.db"));
}

TEST_CASE("a criterion and an error model of the program's own") {
  Experiment experiment = small_experiment();
  experiment.criteria = {make_criterion("moved", [](const OutputPair& outputs) {
    return (outputs.faulty[0] - outputs.golden[0]).abs().max().item<float>() > 0.5;
  })};
  experiment.error = constant(100);
  const Campaign campaign = open_campaign(experiment, settings(""));
  CHECK(campaign.columns() == std::vector<std::string>{"moved"});
  CHECK(campaign.specification().error == "constant(100)");
  const Store results = campaign.run();
  CHECK(summarize(results).overall.tally.fired[0] > 0);
}

TEST_CASE("a network in memory that has changed is another one") {
  const Campaign before = open_campaign(small_experiment(), settings());
  Experiment experiment = small_experiment();
  experiment.network->parameters().at(0).tensor.add_(0.5);
  const Campaign after = open_campaign(experiment, settings());
  const auto info = [](const Campaign& campaign) { return campaign.info(campaign.specification(), ""); };
  check_contains(
      error_of(ErrorCode::mismatch, [&] { check_same_campaign(info(before), info(after), "a.db"); }),
      "network changed since 'a.db' was begun");
}

TEST_CASE("a campaign runs no backward pass, so it draws no gradients") {
  Specification spec = settings();
  spec.kind = SiteKind::weight_gradient;
  CHECK(
      error_of(ErrorCode::usage, [&] { open_campaign(small_experiment(), spec); }) ==
      "kind is weight-gradient, and a campaign runs no backward pass; expected output, input, weight, bias, "
      "buffer or network-input");
}

TEST_CASE("what an experiment lacks is said") {
  check_contains(error_of(ErrorCode::usage, [] { open_campaign(small_experiment(), settings("")); }),
                 "there is no error model");
  Experiment without = small_experiment();
  without.network = nullptr;
  check_contains(error_of(ErrorCode::usage, [&] { open_campaign(without, settings()); }), "needs a network");
  Specification nowhere = settings();
  nowhere.sites = {"conv*"};
  check_contains(error_of(ErrorCode::illegal_fault, [&] { open_campaign(small_experiment(), nowhere); }),
                 "the network has no output site that matches 'conv*'");
}

}  // namespace
}  // namespace faultwave
