// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultwave/comparison.h"
#include "faultwave/random.h"
#include "faultwave/report.h"

#include "src/specification/check_numbers.h"
#include "tests/campaign/fake_engine.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

const CancelCheck never;

/// Runs the fake campaign to its end in a new database and returns what it exports.
std::string unbroken_export(const std::string& path, const Specification& spec = fake_specification()) {
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>(), spec);
  Store store = Store::create(path, campaign.info(spec, ""));
  REQUIRE(campaign.run(store, never, {}));
  std::ostringstream text;
  write_csv(store, text);
  write_json(store, text);
  return text.str();
}

std::string export_of(const std::string& path) {
  const Store store = Store::open(path, Store::Access::read);
  std::ostringstream text;
  write_csv(store, text);
  write_json(store, text);
  return text.str();
}

size_t calls_of_unbroken_run() {
  const TempFolder folder;
  const auto engine = std::make_shared<FakeEngine>();
  const Campaign campaign = fake_campaign(engine);
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  campaign.run(store, never, {});
  return engine->calls.size();
}

TEST_CASE("a trial is a function of seed and number: input first, then site, element, bit") {
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>());
  Draw draw(5, 17);
  const auto input = static_cast<int64_t>(draw.below(7));
  const bool is_fc = draw.below(2) == 1;  // layers are equally likely
  const uint64_t element = draw.below(is_fc ? 6 : 24);
  const uint64_t bit = draw.below(32);
  std::string expected = is_fc
                             ? "output:fc[" + std::to_string(element) + "]"
                             : "output:conv[" + std::to_string(element / 12) + "," +
                                   std::to_string(element / 4 % 3) + "," + std::to_string(element % 4) + "]";
  expected += " flip(" + std::to_string(bit) + ")";

  const Trial trial = campaign.draw(17);
  CHECK(trial.number == 17);
  CHECK(trial.input == input);
  CHECK(to_string(trial.faults) == expected);
}

TEST_CASE("known seeds have pinned trials") {
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>());
  CHECK(campaign.draw(0).input == 3);
  CHECK(to_string(campaign.draw(0).faults) == "output:fc[2] flip(14)");
  CHECK(to_string(campaign.draw(1).faults) == "output:fc[2] flip(21)");
  CHECK(to_string(campaign.draw(49).faults) == "output:conv[1,2,0] flip(16)");
}

TEST_CASE("outcomes are counted as the engine's outputs say") {
  const TempFolder folder;
  const auto engine = std::make_shared<FakeEngine>();
  const Campaign campaign = fake_campaign(engine);
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  REQUIRE(campaign.run(store, never, {}));

  std::array<int64_t, 5> effects{};
  for (int64_t k = 0; k < 50; ++k) {
    const Fault fault = campaign.draw(k).faults[0];
    const FakeEngine::Effect effect = FakeEngine::effect_of(fault);
    ++effects[static_cast<size_t>(effect)];
    const TrialRow row = store.row(k).value();
    CHECK(row.fault == to_string(fault));
    CHECK(row.input == campaign.draw(k).input);
    CHECK(row.golden_class == FakeEngine::golden_class(row.input));
    CHECK(row.crash == (effect == FakeEngine::Effect::crash ? "made-up crash" : ""));
    const bool is_crash = effect == FakeEngine::Effect::crash;
    CHECK(((row.fired & 1) != 0) == (!is_crash && row.golden_class != row.faulty_class));
    if (is_crash) CHECK(row.outcome == OutcomeClass::crash);
  }
  for (const int64_t count : effects)
    REQUIRE(count > 0);

  const Summary summary = summarize(store);
  const Tally& tally = summary.overall.tally;
  CHECK(tally.trials == 50);
  CHECK(tally.classes ==
        std::array<int64_t, 6>{effects[0], effects[1], effects[2], effects[3], effects[4], 0});
  CHECK(tally.fired[1] == effects[3]);
  CHECK(summary.groups[0].tally.trials + summary.groups[1].tally.trials == 50);
  CHECK(summary.groups[0].tally.classes[3] == 0);
  CHECK(summary.groups[1].tally.classes[2] == 0);
}

TEST_CASE("a receipt's index does not tell which element of the batch a trial was") {
  const TempFolder folder;
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>());
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  campaign.run(store, never, {});
  for (const TrialRow& row : store.rows(0, 50)) {
    std::vector<int64_t> expected;
    const Trial trial = campaign.draw(row.trial);
    for (const AxisPart& axis : trial.faults[0].location.boxes[0].axes)
      expected.push_back(axis.begin);
    CHECK(row.index == expected);
  }
}

TEST_CASE("a block goes to the engine by input, in calls of a few batches") {
  const TempFolder folder;
  const auto engine = std::make_shared<FakeEngine>();
  Specification spec = fake_specification();
  spec.batch = 2;
  spec.block = 20;
  const Campaign campaign = fake_campaign(engine, spec);
  Store store = Store::create(folder / "a.db", campaign.info(spec, ""));
  campaign.run(store, never, {});

  // Blocks of 20, 20 and 10 trials in calls of 8.
  std::vector<size_t> sizes;
  for (const auto& call : engine->calls)
    sizes.push_back(call.size());
  CHECK(sizes == std::vector<size_t>{8, 8, 4, 8, 8, 4, 8, 2});
  std::vector<int64_t> inputs;
  for (size_t call = 0; call < 3; ++call) {
    for (const Trial& trial : engine->calls[call])
      inputs.push_back(trial.input);
  }
  CHECK(std::is_sorted(inputs.begin(), inputs.end()));
}

TEST_CASE("cancelled at any call, a campaign keeps what is finished and resumes to the same export") {
  const TempFolder folder;
  const std::string expected = unbroken_export(folder / "whole.db");
  const size_t calls = calls_of_unbroken_run();
  REQUIRE(calls == 13);  // blocks of 12 trials are 3 calls of 4; the last block has 2 trials
  for (size_t stop = 1; stop <= calls; ++stop) {
    CAPTURE(stop);
    const std::string path = folder / ("stopped" + std::to_string(stop) + ".db");
    std::atomic<bool> cancel{false};
    const auto engine = std::make_shared<FakeEngine>();
    engine->on_call = [&] { cancel = engine->calls.size() == stop; };
    const Campaign campaign = fake_campaign(engine);
    {
      Store store = Store::create(path, campaign.info(campaign.specification(), ""));
      CHECK(campaign.run(store, when(cancel), {}) == (stop == calls));
      CHECK(store.trials_done() == std::min<int64_t>(static_cast<int64_t>(stop) * 4, 50));
    }
    Store store = Store::open(path, Store::Access::write);
    CHECK(campaign.run(store, never, {}));
    CHECK(export_of(path) == expected);
  }
}

TEST_CASE("killed at any call, a campaign resumes to the same export") {
  const TempFolder folder;
  const std::string expected = unbroken_export(folder / "whole.db");
  const size_t calls = calls_of_unbroken_run();
  for (size_t stop = 1; stop <= calls; ++stop) {
    CAPTURE(stop);
    const std::string path = folder / ("killed" + std::to_string(stop) + ".db");
    const pid_t child = ::fork();
    if (child == 0) {
      const auto engine = std::make_shared<FakeEngine>();
      engine->on_call = [&] {
        if (engine->calls.size() == stop) ::raise(SIGKILL);
      };
      const Campaign campaign = fake_campaign(engine);
      Store store = Store::create(path, campaign.info(campaign.specification(), ""));
      campaign.run(store, never, {});
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));

    const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>());
    Store store = Store::open(path, Store::Access::write);
    CHECK(campaign.run(store, never, {}));
    CHECK(export_of(path) == expected);
  }
}

/// Runs or resumes the campaign in a process that is killed after so many microseconds. Whether it came to
/// its end first.
bool run_until_killed(const std::string& path, const Specification& spec, int64_t microseconds) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto engine = std::make_shared<FakeEngine>();
    engine->on_call = [] { ::usleep(200); };
    const Campaign campaign = fake_campaign(engine, spec);
    Store store = std::filesystem::exists(path) ? Store::open(path, Store::Access::write)
                                                : Store::create(path, campaign.info(spec, ""));
    campaign.run(store, never, {});
    ::_exit(0);
  }
  ::usleep(static_cast<useconds_t>(microseconds));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status);
}

TEST_CASE("killed at a hundred drawn moments, campaigns end with the export of unbroken ones") {
  const TempFolder folder;
  Draw draw(2026);
  int kills = 0;
  for (int number = 0; kills < 100; ++number) {
    Specification spec = fake_specification();
    spec.trials = 240;
    spec.block = 8;
    spec.round = 16;
    if (number % 2 == 1) spec.draw = DrawRule::stratified;
    const std::string expected = unbroken_export(folder / ("whole" + std::to_string(number) + ".db"), spec);
    const std::string path = folder / ("killed" + std::to_string(number) + ".db");
    // Each time a little longer, so that it comes to an end.
    for (int64_t longest = 20'000;
         !run_until_killed(path, spec, 1'000 + static_cast<int64_t>(draw.below(longest))); longest += 4'000) {
      ++kills;
    }
    CHECK(export_of(path) == expected);
  }
  CHECK(kills >= 100);
}

TEST_CASE("block and batch sizes do not change the trials") {
  const TempFolder folder;
  Specification spec = fake_specification();
  const std::string expected = unbroken_export(folder / "a.db", spec);
  spec.block = 7;
  spec.batch = 3;
  CHECK(unbroken_export(folder / "b.db", spec) == expected);
}

TEST_CASE("an exception from the engine leaves what was finished") {
  const TempFolder folder;
  const auto engine = std::make_shared<FakeEngine>();
  engine->on_call = [&] {
    if (engine->calls.size() == 5) throw UserError(ErrorCode::bad_input, "input #3 is damaged");
  };
  const Campaign campaign = fake_campaign(engine);
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  check_contains(error_of(ErrorCode::bad_input, [&] { campaign.run(store, never, {}); }),
                 "input #3 is damaged");
  CHECK(store.trials_done() == 16);
}

/// An engine that likes many trials a call. A long forward is expected of each new input, or of each trial.
Campaign slow_campaign(const std::shared_ptr<FakeEngine>& engine, double input_cost, double trial_cost) {
  Specification spec = fake_specification();
  spec.trials = 1000;
  spec.block = 500;
  CampaignParts parts = fake_campaign(engine, spec).parts();
  parts.input_cost = input_cost;
  parts.trial_cost = trial_cost;
  return Campaign(spec, std::move(parts));
}

class Wide : public FakeEngine {
 public:
  int64_t trials_a_call() const override { return 100'000; }
};

std::vector<std::vector<uint64_t>> numbers_of(const FakeEngine& engine) {
  std::vector<std::vector<uint64_t>> calls;
  for (const auto& call : engine.calls) {
    calls.emplace_back();
    for (const Trial& trial : call)
      calls.back().push_back(trial.number);
  }
  return calls;
}

TEST_CASE("a block of a slow network is run in parts of ten seconds") {
  const TempFolder folder;
  const auto parts_of = [&](double input_cost, double trial_cost, const std::string& name) {
    const auto engine = std::make_shared<Wide>();
    const Campaign campaign = slow_campaign(engine, input_cost, trial_cost);
    Store store = Store::create(folder / name, campaign.info(campaign.specification(), ""));
    REQUIRE(campaign.run(store, never, {}));
    return numbers_of(*engine);
  };
  CHECK(parts_of(0, 0, "fast.db").size() == 2);
  for (const auto& call : parts_of(0, 0.5, "direct.db"))
    CHECK(call.size() == 20);
  // A wave: a second for each of one to three inputs, of some 71 trials each, and 0.1 for each trial.
  const auto waves = parts_of(1, 0.1, "wave.db");
  size_t full = 0;
  for (const auto& call : waves) {
    CHECK(call.size() <= 91);
    full += call.size() >= 69 ? 1 : 0;
  }
  CHECK(full >= waves.size() - 2);  // all but the last of each block
  // However slow, a golden forward is shared by some.
  for (const auto& call : parts_of(100, 10, "slow.db"))
    CHECK((call.size() == 32 || call.size() == 500 % 32));
}

TEST_CASE("whatever stops a block of many parts, each part is run again as the whole that it was") {
  const TempFolder folder;
  const auto unbroken = std::make_shared<Wide>();
  const Campaign whole = slow_campaign(unbroken, 1, 0.1);
  {
    Store store = Store::create(folder / "whole.db", whole.info(whole.specification(), ""));
    REQUIRE(whole.run(store, never, {}));
  }
  const std::vector<std::vector<uint64_t>> expected = numbers_of(*unbroken);
  const std::string path = folder / "stopped.db";
  Store::create(path, whole.info(whole.specification(), ""));
  std::vector<std::vector<uint64_t>> seen;
  std::vector<int64_t> done;
  for (bool is_done = false; !is_done;) {
    std::atomic<bool> cancel{false};
    const auto engine = std::make_shared<Wide>();
    engine->on_call = [&] { cancel = engine->calls.size() == 2; };
    Store store = Store::open(path, Store::Access::write);
    is_done = slow_campaign(engine, 1, 0.1).run(store, when(cancel), {});
    for (const auto& call : numbers_of(*engine))
      seen.push_back(call);
    done.push_back(store.trials_done());
    const Summary summary = summarize(store);
    CHECK(summary.overall.tally.trials == done.back());
    std::ostringstream csv;
    write_csv(store, csv);
    const std::string text = csv.str();
    CHECK(std::count(text.begin(), text.end(), '\n') == 1 + done.back());
  }
  CHECK(done.size() >= 4);
  CHECK(done[0] > 60);
  CHECK(done[0] < 500);
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());  // a part that was cut is run again
  CHECK(seen == expected);
  CHECK(export_of(path) == export_of(folder / "whole.db"));
}

TEST_CASE("a trial that ended its process is recorded, and its part is run without it") {
  const TempFolder folder;
  const auto engine = std::make_shared<Wide>();
  CampaignParts parts = slow_campaign(engine, 1, 0.1).parts();
  parts.golden = [](int64_t input) {
    at::Tensor scores = at::zeros({4});
    scores[FakeEngine::golden_class(input)] = 4.0;
    return std::vector<at::Tensor>{scores};
  };
  const Campaign campaign(slow_campaign(engine, 1, 0.1).specification(), parts);
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  const Round round{.number = 0, .first_trial = 0, .trials = 1000, .shares = {}};
  store.begin_round(round);
  const Block block = store.open_blocks(round).at(0);
  store.write_block(campaign.ended_trial(round, block, 17, OutcomeClass::hang, "too long"), 0);
  store.write_block(campaign.ended_trial(round, block, 18, OutcomeClass::crash, "SIGFPE"), 0);
  CHECK(store.trials_done() == 2);
  CHECK_THROWS_AS(store.write_block(campaign.ended_trial(round, block, 18, OutcomeClass::crash, ""), 0),
                  InternalError);
  REQUIRE(campaign.run(store, never, {}));

  size_t trials = 0;
  for (const auto& call : numbers_of(*engine)) {
    trials += call.size();
    CHECK(std::count(call.begin(), call.end(), 17) + std::count(call.begin(), call.end(), 18) == 0);
  }
  CHECK(trials == 998);
  const TrialRow hang = store.row(17).value();
  CHECK(hang.outcome == OutcomeClass::hang);
  CHECK(hang.fired == 0);
  CHECK(hang.crash == "too long");
  CHECK(hang.fault == to_string(campaign.draw(17).faults));
  CHECK(hang.golden_class == FakeEngine::golden_class(hang.input));
  CHECK(!hang.faulty_class);
  CHECK(store.row(18)->outcome == OutcomeClass::crash);

  const Summary summary = summarize(store);
  CHECK(summary.overall.tally.of(OutcomeClass::hang) == 1);
  CHECK(summary.overall.hang.estimate == doctest::Approx(0.001));
  const int64_t crashes = summary.overall.tally.of(OutcomeClass::crash);
  CHECK(crashes > 1);
  CHECK(summary.overall.crash.estimate == doctest::Approx(static_cast<double>(crashes) / 1000));
  check_contains(text_report(summary), "hang 1 (0.10 %)");
}

TEST_CASE("progress counts the block under way, and what earlier runs did") {
  const TempFolder folder;
  std::atomic<bool> cancel{false};
  const auto engine = std::make_shared<FakeEngine>();
  engine->on_call = [&] { cancel = engine->calls.size() == 4; };
  const Campaign campaign = fake_campaign(engine);
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  std::vector<int64_t> done;
  const auto note = [&](const Progress& progress) {
    done.push_back(progress.done);
    CHECK(progress.total == 50);
    CHECK(progress.tally.trials == progress.done);
    CHECK(progress.done_before == (done.size() <= 4 ? 0 : 16));
  };
  CHECK(!campaign.run(store, when(cancel), note));
  CHECK(done == std::vector<int64_t>{4, 8, 12, 16});
  cancel = false;
  CHECK(campaign.run(store, never, note));
  CHECK(done[4] == 20);
  CHECK(done.back() == 50);
}

TEST_CASE("an engine that forgets a trial is found out") {
  class Forgetful : public Engine {
    void run(const std::vector<Trial>&, const TrialSink&) override {}
  };
  const TempFolder folder;
  const Campaign campaign = fake_campaign(std::make_shared<Forgetful>());
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  CHECK_THROWS_AS(campaign.run(store, never, {}), InternalError);
}

TEST_CASE("a replayed trial equals the recorded one, alone in its batch") {
  const TempFolder folder;
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>());
  Store store = Store::create(folder / "a.db", campaign.info(campaign.specification(), ""));
  campaign.run(store, never, {});
  for (int64_t k = 0; k < 50; ++k) {
    const ReplayedTrial replayed = campaign.replay(k);
    const TrialRow recorded = store.row(k).value();
    CHECK(replayed.row.fault == recorded.fault);
    CHECK(replayed.row.outcome == recorded.outcome);
    CHECK(replayed.row.fired == recorded.fired);
    CHECK(replayed.row.index == recorded.index);
    CHECK(replayed.golden.size() == 4);
  }
  check_contains(error_of(ErrorCode::usage, [&] { campaign.replay(50); }), "trials 0 to 49");
}

TEST_CASE("a criterion of a program's own, named in the specification, is counted, reported and exported") {
  const TempFolder folder;
  Specification spec = fake_specification();
  CampaignParts parts = fake_campaign(std::make_shared<FakeEngine>(), spec).parts();
  // 8.0 is what the fake network's SDCs lift a class to.
  parts.criteria = {
      make_criterion("lifted",
                     [](const OutputPair& outputs) { return outputs.faulty[0].gt(7).any().item<bool>(); }),
      parse_criterion("nonfinite")};
  spec.criteria = {"lifted", "nonfinite"};
  const Campaign campaign(spec, parts);
  {
    Store store = Store::create(folder / "a.db", campaign.info(spec, ""));
    campaign.run(store, never, {});
  }
  int64_t expected = 0;
  for (int64_t k = 0; k < 50; ++k) {
    const FakeEngine::Effect effect = FakeEngine::effect_of(campaign.draw(k).faults[0]);
    expected += effect == FakeEngine::Effect::sdc;
  }
  const Store store = Store::open(folder / "a.db", Store::Access::read);
  CHECK(summarize(store).overall.tally.fired[0] == expected);
  check_contains(text_report(summarize(store, GroupBy::input)), "input, worst first");
  check_contains(export_of(folder / "a.db"), ",lifted,nonfinite\n");
  CHECK(compare(store, store).criteria[0].name == "lifted");
  CHECK(recorded_specification(store).criteria == spec.criteria);
}

TEST_CASE("a specification that a program makes is held to the same ranges as a file") {
  const auto refusal = [](const auto& change) {
    Specification spec = fake_specification();
    change(spec);
    return error_of(ErrorCode::usage, [&] { fake_campaign(std::make_shared<FakeEngine>(), spec); });
  };
  CHECK(refusal([](Specification& spec) { spec.batch = int64_t{1} << 62; }) ==
        "batch must be from 1 to 65536, and is 4611686018427387904");
  CHECK(refusal([](Specification& spec) { spec.block = INT64_MAX; }) ==
        "block must be from 1 to 1048576, and is 9223372036854775807");
  CHECK(refusal([](Specification& spec) { spec.faults_per_trial = INT64_MAX; }) ==
        "per_trial must be from 1 to 65536, and is 9223372036854775807");
  CHECK(refusal([](Specification& spec) { spec.trials = 1'000'000'001; }) ==
        "trials must be from 1 to 1000000000, and is 1000000001");
  check_contains(error_of(ErrorCode::usage,
                          [] {
                            Specification spec = fake_specification();
                            spec.draw = DrawRule::exhaustive;
                            check_trials(spec, 2'000'000'000);
                          }),
                 "draw = \"exhaustive\" would take 2000000000 trials, more than the 1000000000");
}

TEST_CASE("criteria of one name are told apart by their text, and equal ones are refused") {
  Specification spec = fake_specification();
  spec.criteria = {"confidence(0.2)", "confidence(0.5)", "top1"};
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>(), spec);
  CHECK(campaign.info(spec, "").criteria ==
        std::vector<std::string>{"confidence(0.2)", "confidence(0.5)", "top1"});
  spec.criteria = {"top1", "top1"};
  check_contains(error_of(ErrorCode::usage, [&] { fake_campaign(std::make_shared<FakeEngine>(), spec); }),
                 "top1 is there twice");
}

}  // namespace
}  // namespace faultwave
