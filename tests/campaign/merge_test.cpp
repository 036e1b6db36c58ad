// SPDX-License-Identifier: Apache-2.0
// Shards of a campaign, and the campaign that they merge to.
#include "faultwave/merge.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <doctest/doctest.h>

#include "faultwave/report.h"

#include "src/store/database.h"
#include "tests/campaign/fake_engine.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

const CancelCheck never;

/// All that can be seen of a database: both exports, and the report by everything.
std::string content_of(const std::string& path) {
  const Store store = Store::open(path, Store::Access::read);
  std::ostringstream text;
  write_csv(store, text);
  write_json(store, text);
  for (const GroupBy by :
       {GroupBy::layer, GroupBy::bit, GroupBy::channel, GroupBy::golden_class, GroupBy::input}) {
    text << text_report(summarize(store, by)) << json_report(summarize(store, by));
  }
  return text.str();
}

void run(const std::string& path, const Specification& spec, const Shard& shard = {}) {
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>(), spec);
  Store store = Store::create(path, campaign.info(spec, "", shard));
  REQUIRE(campaign.run(store, never, {}));
}

/// Runs all shards and returns their databases, by number.
std::vector<std::string> run_shards(const TempFolder& folder, int64_t count,
                                    const Specification& spec = fake_specification()) {
  std::vector<std::string> paths;
  for (int64_t number = 1; number <= count; ++number) {
    paths.push_back(folder / (std::to_string(number) + "of" + std::to_string(count) + ".db"));
    run(paths.back(), spec, {number, count});
  }
  return paths;
}

std::string refusal(const TempFolder& folder, ErrorCode code, const std::vector<std::string>& paths) {
  const auto files_before = std::distance(std::filesystem::directory_iterator(folder.path()), {});
  const std::string message = error_of(code, [&] { merge_campaigns(paths, folder / "out.db", never); });
  CHECK(folder.holds(files_before));
  return message;
}

void tamper(const std::string& path, const std::string& sql) {
  Database(path, Database::Mode::write).execute(sql.c_str());
}

TEST_CASE("shards have each block once, in ranges that differ by one block at most") {
  for (int64_t blocks = 1; blocks <= 30; ++blocks) {
    for (int64_t of = 1; of <= blocks; ++of) {
      int64_t next = 0;
      for (int64_t number = 1; number <= of; ++number) {
        const Shard shard{number, of};
        CHECK(shard.first_block(blocks) == next);
        next = shard.end_block(blocks);
        const int64_t size = next - shard.first_block(blocks);
        CHECK((size == blocks / of || size == blocks / of + 1));
      }
      CHECK(next == blocks);
    }
  }
  const int64_t many = int64_t{1} << 61;
  CHECK(Shard{1'000'000, 1'000'000}.end_block(many) == many);
}

TEST_CASE("a shard is written I/N") {
  CHECK(to_string(Shard{2, 4}) == "2/4");
  CHECK(to_string(parse_shard("2/4")) == "2/4");
  CHECK(to_string(parse_shard("1000000/1000000")) == "1000000/1000000");
  CHECK(parse_shard("1/1").is_whole());
  CHECK(parse_shard("").is_whole());
  CHECK(to_string(Shard{}) == "");
  for (const std::string text : {"2", "2/", "/4", "0/4", "5/4", "-1/4", "1/0", "1/1000001", "1/4x", "a/b",
                                 "1 /4", "1/ 4", "99999999999999999999/4", "1/99999999999999999999"}) {
    check_contains(error_of(ErrorCode::usage, [&] { parse_shard(text); }),
                   "'" + text + "' is no shard: expected I/N with I from 1 to N");
  }
}

TEST_CASE("a shard runs its range of blocks and no other") {
  const TempFolder folder;
  run(folder / "a.db", fake_specification(), {2, 2});  // blocks 2 to 4 of 5, the last of 2 trials
  const Store store = Store::open(folder / "a.db", Store::Access::read);
  CHECK(to_string(store.info().shard) == "2/2");
  CHECK(store.ended() == "shard");
  CHECK(store.trials_done() == 26);
  CHECK(store.rows(0, 50).front().trial == 24);
  CHECK(store.rows(0, 50).back().trial == 49);
  CHECK(shard_trials(store.info()).first == 24);
  CHECK(shard_trials(store.info()).end == 50);
  check_contains(text_report(summarize(store)), "Trials      26 of 50, shard 2 of 2\n");
  check_contains(json_report(summarize(store)), "\"shard\": \"2/2\"");
}

TEST_CASE("shards merge to the whole, however many and in any order") {
  const TempFolder folder;
  run(folder / "whole.db", fake_specification());
  const std::string expected = content_of(folder / "whole.db");
  for (int64_t count = 2; count <= 5; ++count) {
    std::vector<std::string> paths = run_shards(folder, count);
    std::vector<size_t> order(paths.size());
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    do {
      CAPTURE(count);
      std::vector<std::string> ordered;
      for (const size_t i : order)
        ordered.push_back(paths[i]);
      REQUIRE(merge_campaigns(ordered, folder / "out.db", never));
      CHECK(content_of(folder / "out.db") == expected);
      std::filesystem::remove(folder / "out.db");
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("every way of drawing that does not look at results merges to the whole") {
  for (const DrawRule rule : {DrawRule::bits, DrawRule::layers, DrawRule::exhaustive}) {
    for (const std::string keep : {"all", "events"}) {
      const TempFolder folder;
      Specification spec = fake_specification();
      spec.draw = rule;
      spec.keep = keep;
      spec.block = 100;
      spec.batch = 64;
      spec.trials = rule == DrawRule::exhaustive ? 0 : 730;
      if (rule == DrawRule::exhaustive) spec.error = "flip(30)";
      run(folder / "whole.db", spec);
      std::vector<std::string> paths = run_shards(folder, 3, spec);
      std::reverse(paths.begin(), paths.end());
      REQUIRE(merge_campaigns(paths, folder / "out.db", never));
      CHECK(content_of(folder / "out.db") == content_of(folder / "whole.db"));
    }
  }
}

TEST_CASE("a shard that was interrupted is refused until it is resumed") {
  const TempFolder folder;
  run(folder / "whole.db", fake_specification());
  run(folder / "1.db", fake_specification(), {1, 2});
  std::atomic<bool> cancel{false};
  const auto engine = std::make_shared<FakeEngine>();
  engine->on_call = [&] { cancel = engine->calls.size() == 4; };
  const Campaign campaign = fake_campaign(engine);
  {
    Store store = Store::create(folder / "2.db", campaign.info(campaign.specification(), "", {2, 2}));
    REQUIRE(!campaign.run(store, when(cancel), {}));
  }
  check_contains(
      refusal(folder, ErrorCode::usage, {folder / "1.db", folder / "2.db"}),
      "2.db': it has 16 of 26 trials; go on with `faultwave resume " + (folder / "2.db") + "` first");
  {
    Store store = Store::open(folder / "2.db", Store::Access::write);
    CHECK_NOTHROW(check_same_campaign(store.info(), campaign.info(campaign.specification(), ""), "2.db"));
    std::vector<int64_t> totals;
    REQUIRE(campaign.run(store, never, [&](const Progress& progress) { totals.push_back(progress.total); }));
    CHECK(totals.back() == 26);
  }
  REQUIRE(merge_campaigns({folder / "1.db", folder / "2.db"}, folder / "out.db", never));
  CHECK(content_of(folder / "out.db") == content_of(folder / "whole.db"));
}

TEST_CASE("what was merged is a finished campaign") {
  const TempFolder folder;
  const std::vector<std::string> paths = run_shards(folder, 2);
  REQUIRE(merge_campaigns(paths, folder / "out.db", never));
  CHECK(folder.holds(3));
  const auto engine = std::make_shared<FakeEngine>();
  Store store = Store::open(folder / "out.db", Store::Access::write);
  CHECK(store.ended() == "trials");
  CHECK(store.info().shard.is_whole());
  CHECK(fake_campaign(engine).run(store, never, {}));
  CHECK(engine->calls.empty());
}

TEST_CASE("the merged campaign names a specification that still lies there") {
  const TempFolder folder;
  const Specification spec = fake_specification();
  write_file(folder / "spec.toml", to_string(spec));
  for (int64_t number = 1; number <= 2; ++number) {
    const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>());
    const std::string path = number == 1 ? "/elsewhere/spec.toml" : folder / "spec.toml";
    Store store =
        Store::create(folder / (std::to_string(number) + ".db"), campaign.info(spec, path, {number, 2}));
    REQUIRE(campaign.run(store, never, {}));
  }
  REQUIRE(merge_campaigns({folder / "1.db", folder / "2.db"}, folder / "out.db", never));
  CHECK(Store::open(folder / "out.db", Store::Access::read).info().specification_path ==
        folder / "spec.toml");
}

TEST_CASE("shards that are missing, there twice, or none are refused") {
  const TempFolder folder;
  const std::vector<std::string> paths = run_shards(folder, 4);
  const auto message = [&](const std::vector<std::string>& some) {
    return refusal(folder, ErrorCode::usage, some);
  };
  CHECK(message({paths[3], paths[0], paths[1]}) == "cannot merge: shard 3/4 is missing");
  CHECK(message({paths[1], paths[2], paths[3]}) == "cannot merge: shard 1/4 is missing");
  CHECK(message({paths[0], paths[1], paths[2]}) == "cannot merge: shard 4/4 is missing");
  CHECK(message({paths[2]}) == "cannot merge: shard 1/4 is missing, and so are 2 others");
  CHECK(message({}) == "there is nothing to merge: name the shards");
  CHECK(message({paths[0], paths[1], paths[2], paths[3], paths[1]}) ==
        "cannot merge '" + paths[1] + "': it has the same trials as '" + paths[1] + "', both are shard 2/4");

  std::filesystem::copy_file(paths[0], folder / "copy.db");
  const std::string twice = message({paths[0], paths[1], folder / "copy.db", paths[2], paths[3]});
  CHECK(twice == "cannot merge '" + (folder / "copy.db") + "': it has the same trials as '" + paths[0] +
                     "', both are shard 1/4");
  run(folder / "whole.db", fake_specification());
  check_contains(message({folder / "whole.db", paths[0]}),
                 "whole.db': it is no shard, but for all of its campaign");
}

TEST_CASE("shards of other campaigns are refused with what differs") {
  const TempFolder folder;
  const std::vector<std::string> paths = run_shards(folder, 2);
  const auto message = [&](const std::string& other) {
    return refusal(folder, ErrorCode::mismatch, {paths[0], other});
  };
  const auto changed = [&](const std::string& key, const std::string& value) {
    std::filesystem::copy_file(paths[1], folder / "other.db",
                               std::filesystem::copy_options::overwrite_existing);
    tamper(folder / "other.db", "UPDATE campaign SET value = '" + value + "' WHERE key = '" + key + "'");
    return message(folder / "other.db");
  };
  Specification other = fake_specification();
  other.seed = 6;
  run(folder / "seed.db", other, {2, 2});
  check_contains(message(folder / "seed.db"), "seed is 5 there and 6 here");
  CHECK(changed("model_fingerprint", "0123456789abcdef") ==
        "cannot merge '" + (folder / "other.db") + "' with '" + paths[0] +
            "': they ran with different networks (SHA-256 0123456789ab... and m0...)");
  check_contains(changed("inputs_fingerprint", "i1"), "different inputs (SHA-256 i1... and i0...)");
  check_contains(changed("labels_fingerprint", "l1"), "different labels (SHA-256 l1... and none)");
  check_contains(changed("program_version", "9.9"), "another version of Faultwave");
  check_contains(changed("torch_version", "9.9"), "another version of libtorch");
  run(folder / "third.db", fake_specification(), {2, 3});
  check_contains(message(folder / "third.db"),
                 "the campaign was split differently, as one is shard 2/3 and the other 1/2");
  tamper(paths[1], "UPDATE golden_classes SET class = class + 1 WHERE input = 3");
  check_contains(message(paths[1]), "input 3 has the golden class 4 in one and 3 in the other");
}

TEST_CASE("an output that exists is left as it is, and a cancelled merge leaves none") {
  const TempFolder folder;
  const std::vector<std::string> paths = run_shards(folder, 2);
  std::atomic<bool> cancel{true};
  CHECK(!merge_campaigns(paths, folder / "out.db", when(cancel)));
  CHECK(folder.holds(2));
  write_file(folder / "out.db", "something");
  check_contains(refusal(folder, ErrorCode::store, paths), "out.db': it exists already; choose another name");
  CHECK(read_file(folder / "out.db") == "something");
  check_contains(error_of(ErrorCode::store, [&] { merge_campaigns(paths, paths[0], never); }),
                 "it exists already");
  check_contains(error_of(ErrorCode::store, [&] { merge_campaigns(paths, folder / "no/out.db", never); }),
                 "there is no folder");
  check_contains(
      error_of(ErrorCode::store, [&] { merge_campaigns({folder / "x.db"}, folder / "y.db", never); }),
      "there is no database");
}

TEST_CASE("campaigns that look at results, and those with few blocks, cannot be split") {
  const auto message = [](const Specification& spec, const Shard& shard) {
    const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>(), spec);
    return error_of(ErrorCode::usage, [&] { campaign.info(spec, "", shard); });
  };
  Specification stopping = fake_specification();
  stopping.stop.half_width = 0.1;
  check_contains(message(stopping, {1, 2}), "cannot be split into shards, since it goes in rounds");
  Specification timed = fake_specification();
  timed.stop.minutes = 1;
  check_contains(message(timed, {1, 2}), "cannot be split into shards, since it goes in rounds");
  Specification stratified = fake_specification();
  stratified.draw = DrawRule::stratified;
  check_contains(message(stratified, {1, 2}), "cannot be split into shards, since it goes in rounds");
  check_contains(message(fake_specification(), {1, 6}),
                 "there cannot be 6 shards: the campaign has 5 blocks of 12 trials");
}

TEST_CASE("a shard's database says what it is to whoever would begin it again") {
  const TempFolder folder;
  run(folder / "a.db", fake_specification(), {1, 2});
  check_contains(
      error_of(ErrorCode::store, [&] { check_new_database(folder / "a.db", fake_specification()); }),
      "holds shard 1/2 of this campaign already (24 of 24 trials done)");
}

}  // namespace
}  // namespace faultwave
