// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sqlite3.h>

namespace faultwave {

/// An open SQLite file. Every failure becomes one sentence in a UserError(store).
class Database {
 public:
  enum class Mode {
    create,  ///< makes the file
    write,   ///< an existing file
    read,    ///< an existing file, which may lie on a read-only medium
  };
  /// Messages name the file `shown_as`, or by its path.
  Database(const std::string& path, Mode mode, const std::string& shown_as = {});

  /// Runs one or more statements without parameters.
  void execute(const char* sql) const;

  sqlite3* handle() const { return handle_.get(); }
  /// Throws what `code` means for the user.
  [[noreturn]] void fail(int code) const;
  /// Throws UserError(store): "'PATH' is damaged: WHY".
  [[noreturn]] void damaged(const std::string& why) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  void open(const std::string& name, int flags);

  std::string shown_as_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement. Values are bound in the order of its question marks.
class Statement {
 public:
  Statement(const Database& database, const char* sql);

  Statement& bind(int64_t value);
  Statement& bind(double value);  ///< NaN becomes NULL
  Statement& bind(std::string_view value);
  Statement& bind(const std::vector<uint8_t>& value);
  Statement& bind_null();

  /// True while there is a row; at the end the statement is ready to be bound again.
  bool step();
  /// Steps to the end.
  void run();

  // Values of the row. Throw UserError(store) where the file holds one of another type, which SQLite allows;
  // a text may be NULL, which is "".
  bool is_null(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::vector<uint8_t> blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void check(int code) const;
  void check_type(int column, bool is_right) const;

  const Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

/// Undone at the end of its scope unless commit() was called.
class Transaction {
 public:
  explicit Transaction(const Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  const Database& database_;
  bool open_ = true;
};

}  // namespace faultwave
