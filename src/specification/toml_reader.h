// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <toml++/toml.h>

#include "faultwave/error.h"

namespace faultwave {

/// Reads the keys of one TOML table into variables. A key that is absent leaves its variable alone; one of a
/// wrong type, and a number that is not in its range (number_ranges()), throws UserError(usage) with file,
/// line, key, and what was expected.
class TomlReader {
 public:
  /// `heading` is the table's name, or "" for the top level.
  TomlReader(const toml::table& table, std::string file, std::string heading);

  void read(const char* key, std::string& value);
  void read(const char* key, int64_t& value);
  void read(const char* key, std::optional<int64_t>& value);
  void read(const char* key, double& value);
  void read(const char* key, bool& value);
  void read(const char* key, std::vector<std::string>& value);
  void read(const char* key, std::array<double, 3>& value);

  /// A table within; null if absent.
  const toml::table* table(const char* key);

  bool has(const char* key) const { return table_.contains(key); }
  bool is_integer(const char* key) const { return table_[key].is_integer(); }

  /// Runs `check`; a UserError from it is thrown again with file, line and key in front.
  void at(const char* key, const std::function<void()>& check) const;

  /// Call when all keys were read: throws for the first key that nobody asked for, with near names.
  void finish() const;

  /// Throws for a key that has to be there.
  void require(const char* key, const std::string& what) const;

  [[noreturn]] void fail(const char* key, const std::string& what) const;

 private:
  const toml::node* find(const char* key);
  [[noreturn]] void wrong_type(const char* key, const char* expected, const toml::node& found) const;
  template <typename Number>
  void check_range(const char* key, Number value, const toml::node& found) const;
  [[noreturn]] void wrong_item(const char* key, const char* expected, const toml::node& found) const;
  std::string place(const toml::source_region& source) const;
  std::string shown(const std::string& key) const;

  const toml::table& table_;
  std::string file_;
  std::string heading_;
  std::vector<std::string> known_;
};

}  // namespace faultwave
