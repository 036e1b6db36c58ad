// SPDX-License-Identifier: Apache-2.0
#include "faultwave/store.h"

#include <cmath>
#include <csignal>
#include <cstring>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/store/database.h"
#include "tests/support/expect_error.h"
#include "tests/support/sample_campaign.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

Store finished(const std::string& path) {
  Store store = sample_store(path);
  for (const Block& block : store.open_blocks(store.rounds().back()))
    store.write_block(sample_result(block), 0);
  return store;
}

void check_same_row(const TrialRow& a, const TrialRow& b) {
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  CHECK(a.trial == b.trial);
  CHECK(a.input == b.input);
  CHECK(a.fault == b.fault);
  CHECK(a.site == b.site);
  CHECK(a.choice == b.choice);
  CHECK(a.index == b.index);
  CHECK(same(a.value_before, b.value_before));
  CHECK(same(a.value_after, b.value_after));
  CHECK(a.bits_before == b.bits_before);
  CHECK(a.bits_after == b.bits_after);
  CHECK(a.forwards == b.forwards);
  CHECK(a.hits == b.hits);
  CHECK(a.outcome == b.outcome);
  CHECK(a.fired == b.fired);
  CHECK(a.crash == b.crash);
  CHECK(a.label == b.label);
  CHECK(a.golden_class == b.golden_class);
  CHECK(a.faulty_class == b.faulty_class);
  if (a.golden_class) CHECK(same(a.golden_probability, b.golden_probability));
  if (a.faulty_class) CHECK(same(a.faulty_probability, b.faulty_probability));
}

TEST_CASE("a campaign's facts come back as they were recorded") {
  const TempFolder folder;
  Store::create(folder / "a.db", sample_info());
  const CampaignInfo expected = sample_info();
  const CampaignInfo info = Store::open(folder / "a.db", Store::Access::read).info();
  CHECK(to_string(info.specification) == to_string(expected.specification));
  CHECK(info.specification_file == expected.specification_file);
  CHECK(info.specification_path == expected.specification_path);
  CHECK(info.model_fingerprint == "abc");
  CHECK(info.inputs_fingerprint == "def");
  CHECK(info.labels_fingerprint.empty());
  CHECK(info.seed == expected.seed);
  CHECK(info.trials == 10);
  CHECK(info.block == 4);
  CHECK(info.inputs == 3);
  CHECK(info.confidence == 0.95);
  CHECK(info.error == "flip");
  CHECK(info.draw == "layers");
  CHECK(info.criteria == expected.criteria);
  REQUIRE(info.sites.size() == 2);
  CHECK(info.sites[0].shape == std::vector<int64_t>{2, 3, 3});
  CHECK(info.sites[1].name == "fc, last");
  CHECK(info.sites[1].dtype == "float16");
  CHECK(info.sites[1].bits == 16);
  CHECK(info.sites[1].probability == 0.5);
}

TEST_CASE("blocks cover the trials, and a written one is no longer open") {
  const TempFolder folder;
  Store store = sample_store(folder / "a.db");
  std::vector<Block> blocks = store.open_blocks(store.rounds().back());
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[2].first_trial == 8);
  CHECK(blocks[2].trials == 2);
  CHECK(store.trials_done() == 0);

  store.write_block(sample_result(blocks[1]), 0);
  blocks = store.open_blocks(store.rounds().back());
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].number == 0);
  CHECK(blocks[1].number == 2);
  CHECK(store.trials_done() == 4);
  CHECK_THROWS_AS(store.write_block(sample_result({1, 4, 4}), 0), InternalError);
  BlockResult short_one = sample_result(blocks[0]);
  short_one.outcomes.pop_back();
  CHECK_THROWS_AS(store.write_block(short_one, 0), InternalError);
  CHECK(store.trials_done() == 4);
}

TEST_CASE("rows, packed outcomes and tallies say the same") {
  const TempFolder folder;
  finished(folder / "a.db");
  const Store store = Store::open(folder / "a.db", Store::Access::read);

  int64_t expected = 0;
  for (const TrialRow& row : store.rows(0, 100))
    check_same_row(row, sample_row(expected++));
  CHECK(expected == 10);
  CHECK(store.rows(3, 2).front().trial == 3);
  check_same_row(store.row(8).value(), sample_row(8));
  CHECK(!store.row(10));

  // Trials 0, 5: masked; 1, 6: benign; 2, 7: sdc; 3, 8 and 4, 9: due. Even ones at site 0.
  const std::vector<Tally> tallies = store.tallies();
  REQUIRE(tallies.size() == 2);
  CHECK(tallies[0].trials == 5);
  CHECK(tallies[0].classes == std::array<int64_t, 6>{1, 1, 1, 1, 1, 0});
  CHECK(tallies[0].fired == std::vector<int64_t>{2, 1});
  CHECK(tallies[1].classes == std::array<int64_t, 6>{1, 1, 1, 1, 1, 0});

  CHECK(store.packed_outcomes(0) == pack_outcomes(sample_result({0, 0, 4}).outcomes, sample_info()));
  CHECK(store.packed_outcomes(2) == pack_outcomes(sample_result({2, 8, 2}).outcomes, sample_info()));
}

TEST_CASE("a negative zero keeps its sign") {
  const TempFolder folder;
  Store store = sample_store(folder / "a.db");
  BlockResult result = sample_result({0, 0, 4});
  result.rows[0].value_before = -0.0;
  result.rows[0].bits_before = 0x80000000;
  store.write_block(result, 0);
  CHECK(std::signbit(store.row(0).value().value_before));
  CHECK(!std::signbit(store.row(1).value().value_before));
}

TEST_CASE("labels are counted as right or wrong") {
  TrialRow row = sample_row(2);  // golden class 2, faulty class 0
  row.label = 2;
  Tally tally(2);
  tally.add(outcome_of(row));
  tally.add(outcome_of(sample_row(0)));
  CHECK(tally.trials == 2);
  CHECK(tally.right_lost == 1);
  CHECK(tally.right_won == 0);
  std::swap(row.golden_class, row.faulty_class);
  tally.add(outcome_of(row));
  CHECK(tally.right_lost == 1);
  CHECK(tally.right_won == 1);
}

TEST_CASE("plain SQL sees the view of results") {
  const TempFolder folder;
  finished(folder / "a.db");
  const Database database(folder / "a.db", Database::Mode::read);
  Statement select(database, "SELECT site, outcome, criteria FROM results WHERE trial = 3");
  REQUIRE(select.step());
  CHECK(select.text(0) == "fc, last");
  CHECK(select.text(1) == "due");
  CHECK(select.text(2) == "top1 nonfinite");
}

TEST_CASE("an existing file is never touched") {
  const TempFolder folder;
  write_file(folder / "a.db", "mine");
  check_contains(error_of(ErrorCode::store, [&] { Store::create(folder / "a.db", sample_info()); }),
                 "exists already");
  CHECK(read_file(folder / "a.db") == "mine");
  CHECK(folder.holds(1));
}

TEST_CASE("what SQLite kept beside a database that was removed is no part of a new one") {
  const TempFolder folder;
  for (const char* name : {"a.db-wal", "a.db-shm"})
    write_file(folder / name, "of another");
  Store::create(folder / "a.db", sample_info());
  CHECK(Store::open(folder / "a.db", Store::Access::read).trials_done() == 0);
}

TEST_CASE("a folder that is missing or cannot be written to is named, and nothing is left") {
  const TempFolder folder;
  check_contains(error_of(ErrorCode::store, [&] { Store::check_new(folder / "no/a.db"); }),
                 "there is no folder");
  check_contains(error_of(ErrorCode::store, [] { Store::check_new("/proc/a.db"); }),
                 "cannot create '/proc/a.db'");
  check_contains(error_of(ErrorCode::store, [] { Store::check_new(""); }), "empty");
  CHECK(folder.holds(0));
}

TEST_CASE("files that are no campaigns are told apart") {
  const TempFolder folder;
  const auto open = [&] { Store::open(folder / "a.db", Store::Access::write); };
  check_contains(error_of(ErrorCode::store, open), "there is no database");
  write_file(folder / "a.db", std::string(5000, 'x'));
  check_contains(error_of(ErrorCode::store, open), "is not an SQLite database");
  std::filesystem::remove(folder / "a.db");
  Database(folder / "a.db", Database::Mode::create).execute("CREATE TABLE t (a)");
  check_contains(error_of(ErrorCode::store, open), "not a campaign of Faultwave");
  check_contains(error_of(ErrorCode::store, [&] { Store::open(folder / "", Store::Access::read); }),
                 "is a folder");
}

TEST_CASE("a campaign of another table version is refused") {
  const TempFolder folder;
  finished(folder / "a.db");
  Database(folder / "a.db", Database::Mode::write).execute("PRAGMA user_version = 99");
  check_contains(error_of(ErrorCode::store, [&] { Store::open(folder / "a.db", Store::Access::read); }),
                 "tables of version 99");
}

TEST_CASE("a damaged campaign is said to be damaged") {
  const TempFolder folder;
  finished(folder / "a.db");
  std::string bytes = read_file(folder / "a.db");
  for (size_t i = 4096; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(0x5a);
  write_file(folder / "a.db", bytes);
  check_contains(error_of(ErrorCode::store, [&] { Store::open(folder / "a.db", Store::Access::write); }),
                 "damaged");
  check_contains(error_of(ErrorCode::store, [&] { Store::open(folder / "a.db", Store::Access::read); }),
                 "damaged");
}

TEST_CASE("a campaign cut short is said to be damaged") {
  const TempFolder folder;
  finished(folder / "a.db");
  std::filesystem::resize_file(folder / "a.db", 3 * 4096);
  check_contains(error_of(ErrorCode::store, [&] { Store::open(folder / "a.db", Store::Access::write); }),
                 "damaged");
}

TEST_CASE("a reader changes nothing in the folder") {
  const TempFolder folder;
  finished(folder / "a.db");
  const std::string before = read_file(folder / "a.db");
  CHECK(folder.holds(1));
  CHECK(Store::open(folder / "a.db", Store::Access::read).trials_done() == 10);
  CHECK(read_file(folder / "a.db") == before);
  CHECK(folder.holds(1));
}

/// Runs `function` in a child process and returns how that ended.
template <typename Function>
int in_child(Function function) {
  const pid_t child = ::fork();
  if (child == 0) {
    function();
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_CASE("one process writes, others read meanwhile") {
  const TempFolder folder;
  Store store = sample_store(folder / "a.db");
  store.write_block(sample_result({0, 0, 4}), 0);
  check_contains(error_of(ErrorCode::store, [&] { Store::open(folder / "a.db", Store::Access::write); }),
                 "open for writing in this process already");
  CHECK(Store::open(folder / "a.db", Store::Access::read).trials_done() == 4);
  store.write_block(sample_result({1, 4, 4}), 0);
  CHECK(store.trials_done() == 8);
}

TEST_CASE("a second process is told that a campaign is in use, until the first is gone") {
  const TempFolder folder;
  Store::create(folder / "a.db", sample_info());
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const Store store = Store::open(folder / "a.db", Store::Access::write);
    const ssize_t written = ::write(ready[1], "x", 1);
    if (written == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  const auto open = [&] { return Store::open(folder / "a.db", Store::Access::write); };
  check_contains(error_of(ErrorCode::store, open), "in use by another faultwave process");
  CHECK(Store::open(folder / "a.db", Store::Access::read).trials_done() == 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK_NOTHROW(open());
}

TEST_CASE("what was committed survives a kill, and nothing else does") {
  const TempFolder folder;
  const int status = in_child([&] {
    Store store = sample_store(folder / "a.db");
    store.write_block(sample_result({0, 0, 4}), 0);
    ::raise(SIGKILL);
  });
  REQUIRE(WIFSIGNALED(status));
  Store store = Store::open(folder / "a.db", Store::Access::write);
  CHECK(store.trials_done() == 4);
  CHECK(store.open_blocks(store.rounds().back()).size() == 2);
  store.write_block(sample_result({2, 8, 2}), 0);
  CHECK(store.trials_done() == 6);
}

TEST_CASE("a block that is written in pieces is open until all of it is there") {
  const TempFolder folder;
  Store store = sample_store(folder / "a.db");
  const BlockResult whole = sample_result({0, 0, 4});
  const auto piece = [&](size_t begin, size_t end) {
    BlockResult part = whole;
    part.rows.assign(whole.rows.begin() + static_cast<std::ptrdiff_t>(begin),
                     whole.rows.begin() + static_cast<std::ptrdiff_t>(end));
    for (size_t i = 0; i < part.outcomes.size(); ++i)
      part.outcomes[i].is_done = begin <= i && i < end;
    part.counts = {1, 2};
    return part;
  };
  store.write_block(piece(1, 3), 0);
  CHECK(store.trials_done() == 2);
  const std::vector<Block> open = store.open_blocks(store.rounds().back());
  REQUIRE(open.size() == 3);
  CHECK(open[0].finished == std::vector<bool>{false, true, true, false});
  CHECK(open[1].finished.empty());
  store.write_block(piece(0, 1), 0);
  store.write_block(piece(3, 4), 0);
  CHECK(store.open_blocks(store.rounds().back()).size() == 2);
  CHECK(store.engine_counts().decided_again == 3);
  CHECK(store.engine_counts().audited == 6);
  CHECK(store.packed_outcomes(0) == pack_outcomes(whole.outcomes, store.info()));
  CHECK(store.rows(0, 4).size() == 4);
}

TEST_CASE("a database that is removed or replaced while it is written to is missed") {
  const TempFolder folder;
  Store store = sample_store(folder / "a.db");
  store.write_block(sample_result({0, 0, 4}), 0);
  std::filesystem::rename(folder / "a.db", folder / "b.db");
  check_contains(error_of(ErrorCode::store, [&] { store.write_block(sample_result({1, 4, 4}), 0); }),
                 "was removed or renamed while it was written to");
  write_file(folder / "a.db", "another");
  check_contains(error_of(ErrorCode::store, [&] { store.end("trials"); }), "was replaced");
  std::filesystem::rename(folder / "b.db", folder / "a.db");
  store.write_block(sample_result({1, 4, 4}), 0);
  CHECK(store.trials_done() == 8);
}

TEST_CASE("when the file cannot grow, the block is dropped and the rest is kept") {
  const TempFolder folder;
  CampaignInfo info = sample_info();
  info.trials = 40'000;
  info.block = 20'000;
  sample_store(folder / "a.db", info);
  const int status = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200'000, 200'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Store store = Store::open(folder / "a.db", Store::Access::write);
    try {
      store.write_block(sample_result({0, 0, 20'000}), 0);
    } catch (const UserError& error) {
      const bool is_told = error.code() == ErrorCode::store && std::strstr(error.what(), "a.db") != nullptr;
      ::_exit(is_told && store.trials_done() == 0 ? 42 : 2);
    }
  });
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 42);
  Store store = Store::open(folder / "a.db", Store::Access::write);
  CHECK(store.open_blocks(store.rounds().back()).size() == 2);
  store.write_block(sample_result({0, 0, 20'000}), 0);
  CHECK(store.trials_done() == 20'000);
}

TEST_CASE("a finished campaign in a read-only folder can be read") {
  if (::geteuid() == 0) {
    // Root may write anywhere, so the reading is done as nobody.
    const TempFolder folder;
    finished(folder / "a.db");
    ::chmod(folder.path().c_str(), 0555);
    ::chmod((folder / "a.db").c_str(), 0444);
    const int status = in_child([&] {
      if (::setuid(65534) != 0) ::_exit(2);
      ::_exit(Store::open(folder / "a.db", Store::Access::read).trials_done() == 10 ? 42 : 3);
    });
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 42);
    return;
  }
  const TempFolder folder;
  finished(folder / "a.db");
  ::chmod(folder.path().c_str(), 0555);
  CHECK(Store::open(folder / "a.db", Store::Access::read).trials_done() == 10);
  check_contains(error_of(ErrorCode::store, [&] { Store::check_new(folder / "b.db"); }), "cannot create");
  ::chmod(folder.path().c_str(), 0755);
}

}  // namespace
}  // namespace faultwave
