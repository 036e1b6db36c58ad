// SPDX-License-Identifier: Apache-2.0
#include "tests/mutation/mutate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <sqlite3.h>

#include "tests/support/zip_file.h"

namespace faultwave::mutation {
namespace {

constexpr std::array<const char*, 20> kNumbers = {"0",
                                                  "-1",
                                                  "1",
                                                  "2",
                                                  "127",
                                                  "255",
                                                  "256",
                                                  "65535",
                                                  "2147483647",
                                                  "2147483648",
                                                  "4294967295",
                                                  "9007199254740993",
                                                  "9223372036854775807",
                                                  "-9223372036854775808",
                                                  "18446744073709551615",
                                                  "1e308",
                                                  "1e400",
                                                  "nan",
                                                  "-0.0",
                                                  "99999999999999999999999999"};
constexpr std::array<uint64_t, 12> kWords = {
    0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 40, INT64_MAX, UINT64_MAX};
constexpr std::array<const char*, 14> kTokens = {"(",       "[",  "{", "-", "not ", "\"", "\\",
                                                 "\x1b[2J", "\n", "0", ",", "@",    "a.", "\xff"};

template <typename Items>
const auto& one_of(const Items& items, Draw& draw) {
  return items[draw.below(items.size())];
}

/// A range of the text, short more often than long.
std::pair<size_t, size_t> range_of(const std::string& text, Draw& draw) {
  const size_t begin = draw.below(text.size() + 1);
  const size_t most = std::min<size_t>(text.size() - begin, size_t{1} << draw.below(12));
  return {begin, most == 0 ? 0 : draw.below(most + 1)};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void replace_number(std::string& text, Draw& draw) {
  const size_t from = draw.below(text.size() + 1);
  const auto digit = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), is_digit);
  const auto end = std::find_if_not(digit, text.end(), is_digit);
  text.replace(digit, end, one_of(kNumbers, draw));
}

void replace_word(std::string& text, Draw& draw) {
  const size_t bytes = size_t{1} << draw.below(4);
  if (text.size() < bytes) return;
  const uint64_t word = one_of(kWords, draw);
  std::memcpy(text.data() + draw.below(text.size() - bytes + 1), &word, bytes);
}

void change(std::string& text, Draw& draw) {
  const auto [begin, length] = range_of(text, draw);
  switch (draw.below(10)) {
    case 0:
    case 1:
      if (!text.empty()) text[draw.below(text.size())] ^= static_cast<char>(1 << draw.below(8));
      break;
    case 2:
      if (!text.empty()) text[draw.below(text.size())] = static_cast<char>(draw.below(256));
      break;
    case 3:
      replace_word(text, draw);
      break;
    case 4:
    case 5:
      replace_number(text, draw);
      break;
    case 6:
      text.erase(begin, length);
      break;
    case 7:
      text.insert(draw.below(text.size() + 1), text.substr(begin, length));
      break;
    case 8:
      text.resize(begin);
      break;
    default: {
      std::string repeated;
      const uint64_t times = uint64_t{1} << draw.below(14);
      const std::string token = one_of(kTokens, draw);
      for (uint64_t i = 0; i < times; ++i)
        repeated += token;
      text.insert(begin, repeated);
    }
  }
}

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// The first column of all rows, as texts.
std::vector<std::string> column_of(sqlite3* database, const std::string& sql) {
  std::vector<std::string> values;
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) return values;
  const std::unique_ptr<sqlite3_stmt, Close> statement(raw);
  while (sqlite3_step(raw) == SQLITE_ROW)
    values.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(raw, 0)));
  return values;
}

/// An SQL expression for a new value of a column.
std::string new_value(const std::string& column, Draw& draw) {
  constexpr std::array<const char*, 13> values = {
      "0",          "-1", "1",       "7",     "NULL",   "1e300", "-0.5", "9223372036854775807",
      "2147483648", "''", "x'00ff'", "'abc'", "'1,2,3'"};
  if (draw.below(4) != 0) return one_of(values, draw);
  constexpr std::array<const char*, 4> changes = {" + 1", " * 2", " || '9'", " - 1"};
  return "\"" + column + "\"" + one_of(changes, draw);
}

}  // namespace

std::string mutated(std::string bytes, Draw& draw) {
  const uint64_t changes = 1 + draw.below(3);
  for (uint64_t i = 0; i < changes; ++i)
    change(bytes, draw);
  return bytes;
}

std::string mutated_archive(const std::string& path, Draw& draw) {
  ZipContent content = content_of_zip(path);
  std::string& record = content[draw.below(content.size())].second;
  record = mutated(std::move(record), draw);
  return zip_of(content);
}

void mutate_database(const std::string& path, Draw& draw) {
  sqlite3* raw = nullptr;
  sqlite3_open(path.c_str(), &raw);
  const std::unique_ptr<sqlite3, Close> database(raw);
  const auto run = [&](const std::string& sql) { sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr); };
  run("PRAGMA journal_mode = DELETE");
  run("PRAGMA ignore_check_constraints = ON");
  const auto tables = column_of(raw, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
  const std::string table = one_of(tables, draw);
  const auto columns = column_of(raw, "SELECT name FROM pragma_table_info('" + table + "')");
  const auto rows = column_of(raw, "SELECT count(*) FROM \"" + table + "\"");
  const std::string column = one_of(columns, draw);
  const uint64_t count = std::stoull(rows.at(0));
  const std::string row = " WHERE (\"" + columns[0] + "\") IN (SELECT \"" + columns[0] + "\" FROM \"" +
                          table + "\" LIMIT 1 OFFSET " + std::to_string(count == 0 ? 0 : draw.below(count)) +
                          ")";
  const uint64_t way = draw.below(20);
  if (way == 0) {
    run("DROP TABLE \"" + table + "\"");
  } else if (way < 4) {
    run("DELETE FROM \"" + table + "\"" + row);
  } else {
    run("UPDATE \"" + table + "\" SET \"" + column + "\" = " + new_value(column, draw) + row);
  }
}

}  // namespace faultwave::mutation
