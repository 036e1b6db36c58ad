// SPDX-License-Identifier: Apache-2.0
#include "src/store/database.h"

#include <limits>

#include <doctest/doctest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

TEST_CASE("values come back as they were bound") {
  const TempFolder folder;
  const Database database(folder / "a.db", Database::Mode::create);
  database.execute("CREATE TABLE t (a, b, c, d, e)");
  const std::string text("x\0'; DROP TABLE t; --", 21);
  const std::vector<uint8_t> blob = {0, 255, 7};
  Statement insert(database, "INSERT INTO t VALUES (?, ?, ?, ?, ?)");
  insert.bind(std::numeric_limits<int64_t>::min()).bind(0.1).bind(text).bind(blob).bind_null().run();
  insert.bind(int64_t{2}).bind(std::numeric_limits<double>::quiet_NaN()).bind(std::string_view()).bind_null();
  insert.bind_null().run();

  Statement select(database, "SELECT * FROM t");
  REQUIRE(select.step());
  CHECK(select.integer(0) == std::numeric_limits<int64_t>::min());
  CHECK(select.real(1) == 0.1);
  CHECK(select.text(2) == text);
  CHECK(select.blob(3) == blob);
  CHECK(select.is_null(4));
  REQUIRE(select.step());
  CHECK(select.is_null(1));
  CHECK(!select.is_null(2));
  CHECK(select.text(2).empty());
  CHECK(!select.step());
}

TEST_CASE("a transaction that is not committed leaves nothing") {
  const TempFolder folder;
  const Database database(folder / "a.db", Database::Mode::create);
  database.execute("CREATE TABLE t (a)");
  {
    const Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1)");
  }
  Statement select(database, "SELECT count(*) FROM t");
  REQUIRE(select.step());
  CHECK(select.integer(0) == 0);
}

TEST_CASE("a full disk is said in one sentence and undoes the transaction") {
  const TempFolder folder;
  const Database database(folder / "a.db", Database::Mode::create);
  database.execute("CREATE TABLE t (a)");
  database.execute("PRAGMA max_page_count = 4");
  const std::vector<uint8_t> large(100'000);
  const std::string message = error_of(ErrorCode::store, [&] {
    Transaction transaction(database);
    Statement(database, "INSERT INTO t VALUES (?)").bind(large).run();
    transaction.commit();
  });
  check_contains(message, "a.db': the disk is full");
  Statement select(database, "SELECT count(*) FROM t");
  REQUIRE(select.step());
  CHECK(select.integer(0) == 0);
}

TEST_CASE("a database that another connection writes to is said to be locked") {
  const TempFolder folder;
  const Database first(folder / "a.db", Database::Mode::create);
  first.execute("CREATE TABLE t (a)");
  const Transaction transaction(first);
  const Database second(folder / "a.db", Database::Mode::write);
  sqlite3_busy_timeout(second.handle(), 1);
  check_contains(error_of(ErrorCode::store, [&] { const Transaction other(second); }),
                 "locked by another process");
}

TEST_CASE("messages name the file as it is shown") {
  const TempFolder folder;
  write_file(folder / "a.db", std::string(5000, 'x'));
  check_contains(
      error_of(ErrorCode::store, [&] { Database(folder / "a.db", Database::Mode::write, "shown"); }),
      "'shown' is not an SQLite database");
}

TEST_CASE("bad SQL is our own bug") {
  const TempFolder folder;
  const Database database(folder / "a.db", Database::Mode::create);
  CHECK_THROWS_AS(Statement(database, "SELEKT 1"), InternalError);
}

}  // namespace
}  // namespace faultwave
