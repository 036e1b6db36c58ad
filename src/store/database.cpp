// SPDX-License-Identifier: Apache-2.0
#include "src/store/database.h"

#include <cstring>
#include <filesystem>
#include <new>
#include <system_error>

#include "faultwave/error.h"

#include "src/common/plain_text.h"

namespace faultwave {
namespace {

constexpr int kBusyTimeoutMs = 2000;

/// A `file:` address of a path, as SQLite takes it.
std::string file_address(const std::string& path, const std::string& parameters) {
  std::string address = "file:";
  for (const char letter : path) {
    switch (letter) {
      case '%':
        address += "%25";
        break;
      case '?':
        address += "%3f";
        break;
      case '#':
        address += "%23";
        break;
      default:
        address += letter;
    }
  }
  return address + "?" + parameters;
}

/// Whether a killed process left changes beside the file that are not yet in it.
bool has_journal(const std::string& path) {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(path + "-wal", ignored);
  return !ignored && size > 0;
}

}  // namespace

Database::Database(const std::string& path, Mode mode, const std::string& shown_as)
    : shown_as_(shown_as.empty() ? path : shown_as) {
  if (mode == Mode::create) {
    open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE);
    return;
  }
  open(path, SQLITE_OPEN_READWRITE);
  // The first read finds out whether the file is a database. Where nothing can be written beside it, SQLite
  // reads a database in WAL mode only if told that nobody changes it.
  const int code = sqlite3_exec(handle(), "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    const bool read_only = code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
    if (mode != Mode::read || !read_only || has_journal(path)) fail(code);
    open(file_address(path, "immutable=1"), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  }
  // A file may hold triggers and views of somebody else's.
  execute("PRAGMA trusted_schema = OFF");
  execute(mode == Mode::read ? "PRAGMA query_only = ON" : "PRAGMA synchronous = FULL");
}

void Database::open(const std::string& name, int flags) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
}

void Database::execute(const char* sql) const {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void Database::fail(int code) const {
  const std::string file = "'" + shown_as_ + "'";
  const int system_code = handle_ ? sqlite3_system_errno(handle()) : 0;
  const std::string reason = system_code != 0 ? std::strerror(system_code) : sqlite3_errstr(code);
  auto user_error = [](const std::string& message) { return UserError(ErrorCode::store, message); };
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw user_error(file + " is locked by another process: wait for it, or end it, and try again");
    case SQLITE_FULL:
      throw user_error("cannot write to " + file + ": the disk is full; what was committed before is kept");
    case SQLITE_NOTADB:
      throw user_error(file + " is not an SQLite database, so not a campaign");
    case SQLITE_CORRUPT:
      throw user_error(file + " is damaged: SQLite cannot read it any more");
    case SQLITE_READONLY:
      throw user_error("cannot write to " + file + ": it or its folder is read-only");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw user_error("cannot open " + file + ": " + reason);
    case SQLITE_IOERR:
      throw user_error("cannot read or write " + file + ": " + reason +
                       "; what was committed before is kept");
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      damaged(sqlite3_errstr(code));
    default:
      const std::string message = handle_ ? sqlite3_errmsg(handle()) : sqlite3_errstr(code);
      // Tables and columns that our statements name are there in a whole file.
      const bool lacks_part =
          message.starts_with("no such ") || message.find(" columns but ") != std::string::npos;
      if (lacks_part) damaged(message);
      throw InternalError("SQLite on " + file + ": " + message);
  }
}

void Database::damaged(const std::string& why) const {
  throw UserError(ErrorCode::store, "'" + shown_as_ + "' is damaged: " + printable(why));
}

Statement::Statement(const Database& database, const char* sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(database.handle(), sql, -1, &statement, nullptr));
  statement_.reset(statement);
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) database_.fail(code);
}

Statement& Statement::bind(int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), ++bound_, value));
  return *this;
}

Statement& Statement::bind(double value) {
  check(sqlite3_bind_double(statement_.get(), ++bound_, value));
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  // A null pointer would bind NULL.
  const char* data = value.data() != nullptr ? value.data() : "";
  check(sqlite3_bind_text64(statement_.get(), ++bound_, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(const std::vector<uint8_t>& value) {
  check(sqlite3_bind_blob64(statement_.get(), ++bound_, value.data(), value.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_null() {
  check(sqlite3_bind_null(statement_.get(), ++bound_));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  // Reset before the error is thrown, so that the transaction around it can be undone.
  sqlite3_reset(statement_.get());
  bound_ = 0;
  if (code != SQLITE_DONE) database_.fail(code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Statement::check_type(int column, bool is_right) const {
  if (is_right) return;
  const char* name = sqlite3_column_name(statement_.get(), column);
  database_.damaged(std::string("a value of ") + (name == nullptr ? "a table" : name) +
                    " is of another type than it must be");
}

int64_t Statement::integer(int column) const {
  check_type(column, sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER);
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const {
  const int type = sqlite3_column_type(statement_.get(), column);
  check_type(column, type == SQLITE_FLOAT || type == SQLITE_INTEGER);
  return sqlite3_column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const int type = sqlite3_column_type(statement_.get(), column);
  check_type(column, type == SQLITE_TEXT || type == SQLITE_NULL);
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return data == nullptr ? "" : std::string(data, sqlite3_column_bytes(statement_.get(), column));
}

std::vector<uint8_t> Statement::blob(int column) const {
  check_type(column, sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB);
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return {data, data + sqlite3_column_bytes(statement_.get(), column)};
}

Transaction::Transaction(const Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // A failed statement may have ended the transaction already; then there is nothing to undo.
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace faultwave
