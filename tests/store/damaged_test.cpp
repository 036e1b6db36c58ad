// SPDX-License-Identifier: Apache-2.0
// Databases whose structure SQLite finds whole, and whose content does not fit together.
#include <string>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "src/store/database.h"
#include "tests/support/expect_error.h"
#include "tests/support/sample_campaign.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

/// What opening says once `sql` has changed a campaign with two of its three blocks done.
std::string complaint(const std::string& sql) {
  const TempFolder folder;
  {
    Store store = sample_store(folder / "a.db");
    store.write_block(sample_result({0, 0, 4}), 0);
    store.write_block(sample_result({1, 4, 4}), 0);
  }
  Database(folder / "a.db", Database::Mode::write).execute(sql.c_str());
  const std::string of_reader =
      error_of(ErrorCode::store, [&] { Store::open(folder / "a.db", Store::Access::read); });
  const std::string of_writer =
      error_of(ErrorCode::store, [&] { Store::open(folder / "a.db", Store::Access::write); });
  CHECK(of_reader == of_writer);
  CHECK(of_reader.find("a.db' is damaged: ") != std::string::npos);
  return of_reader;
}

TEST_CASE("numbers of the campaign lie in their ranges") {
  check_contains(complaint("UPDATE campaign SET value = '0' WHERE key = 'block'"),
                 "its blocks have 0 trials");
  check_contains(complaint("UPDATE campaign SET value = '-1' WHERE key = 'trials'"), "for -1 trials");
  check_contains(complaint("UPDATE campaign SET value = '0' WHERE key = 'inputs'"), "0 inputs");
  check_contains(complaint("UPDATE campaign SET value = '0,98999' WHERE key = 'confidence'"), "number");
  check_contains(complaint("UPDATE campaign SET value = '1.5' WHERE key = 'confidence'"), "confidence");
  check_contains(complaint("UPDATE campaign SET value = '3/2' WHERE key = 'shard'"), "is no shard");
  check_contains(complaint("DELETE FROM campaign WHERE key = 'seed'"), "no 'seed'");
  check_contains(complaint("DELETE FROM campaign WHERE key = 'ended'"), "no 'ended'");
  check_contains(complaint("DELETE FROM criteria"), "no criteria");
}

TEST_CASE("sites have the shape that their values need") {
  check_contains(complaint("UPDATE sites SET shape = '' WHERE site = 0"), "shape that does not fit");
  check_contains(complaint("UPDATE sites SET shape = '2,x,3' WHERE site = 0"), "none");
  check_contains(complaint("UPDATE sites SET channel_axis = 7 WHERE site = 0"), "axis 7, which it has not");
  check_contains(complaint("UPDATE sites SET value_count = 'many'"), "another type");
  check_contains(complaint("UPDATE sites SET dtype = 'float31'"), "has no type");
  check_contains(complaint("UPDATE sites SET kind = 'nowhere'"), "unknown kind of site");
  check_contains(complaint("UPDATE sites SET bits = 0"), "values of 0 bits");
  check_contains(complaint("DELETE FROM sites"), "no sites");
}

TEST_CASE("rounds, blocks and counts fit each other") {
  check_contains(complaint("DELETE FROM rounds"), "belongs to no round");
  check_contains(complaint("UPDATE rounds SET round = 1"), "round 0 is missing");
  check_contains(complaint("UPDATE rounds SET trials = 11"), "trials that the campaign has not");
  check_contains(complaint("UPDATE rounds SET shares = '[1]'"), "do not fit its strata");
  check_contains(complaint("UPDATE rounds SET shares = '{'"), "no list of numbers");
  check_contains(complaint("UPDATE blocks SET first_trial = 5 WHERE block = 1"), "other trials than it must");
  check_contains(complaint("UPDATE blocks SET trials = 3 WHERE block = 1"), "other trials than it must");
  check_contains(complaint("UPDATE blocks SET outcomes = x'00' WHERE block = 1"), "outcomes");
  check_contains(complaint("DELETE FROM blocks WHERE block = 1"), "");
  check_contains(complaint("UPDATE cells SET trials = trials + 1 WHERE outcome = 'masked'"), "add up");
  check_contains(complaint("UPDATE cells SET site = 9"), "");
  check_contains(complaint("DROP TABLE cells"), "no such table");
  check_contains(complaint("INSERT INTO golden_classes VALUES (3, 0)"), "golden classes of inputs");
  check_contains(complaint("INSERT INTO golden_classes VALUES (2, -2)"), "golden classes of inputs");
  check_contains(complaint("INSERT INTO labels VALUES (0, 1)"), "other labels than one an input");
}

TEST_CASE("a row names a place that the campaign has") {
  const auto row_after = [](const std::string& sql) {
    const TempFolder folder;
    sample_store(folder / "a.db").write_block(sample_result({0, 0, 4}), 0);
    Database(folder / "a.db", Database::Mode::write).execute(sql.c_str());
    const Store store = Store::open(folder / "a.db", Store::Access::read);
    check_contains(error_of(ErrorCode::store, [&] { store.rows(0, 4); }), "is damaged: the row of trial 0");
    check_contains(error_of(ErrorCode::store, [&] { store.row(0); }), "is damaged: the row of trial 0");
  };
  row_after("UPDATE trials SET site = 2 WHERE trial = 0");
  row_after("UPDATE trials SET victim = '1,2' WHERE trial = 0");
  row_after("UPDATE trials SET victim = '1,2,3' WHERE trial = 0");
  row_after("UPDATE trials SET victim = 'a' WHERE trial = 0");
  row_after("PRAGMA ignore_check_constraints = ON; UPDATE trials SET outcome = 'odd' WHERE trial = 0");
  row_after("UPDATE trials SET fired = 4 WHERE trial = 0");
}

}  // namespace
}  // namespace faultwave
