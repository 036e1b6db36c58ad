// SPDX-License-Identifier: Apache-2.0
#include "src/specification/toml_reader.h"

#include <utility>

#include "src/common/near_names.h"
#include "src/common/number_ranges.h"
#include "src/common/plain_text.h"

namespace faultwave {
namespace {

std::string type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

/// An integer too, however large.
double as_number(const toml::node& node) {
  return node.is_integer() ? static_cast<double>(node.as_integer()->get()) : node.as_floating_point()->get();
}

}  // namespace

TomlReader::TomlReader(const toml::table& table, std::string file, std::string heading)
    : table_(table), file_(std::move(file)), heading_(std::move(heading)) {}

void TomlReader::read(const char* key, std::string& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_string()) wrong_type(key, "a string", *node);
  value = node->as_string()->get();
}

void TomlReader::read(const char* key, double& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_number()) wrong_type(key, "a number", *node);
  value = as_number(*node);
  check_range(key, value, *node);
}

void TomlReader::read(const char* key, bool& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_boolean()) wrong_type(key, "true or false", *node);
  value = node->as_boolean()->get();
}

void TomlReader::read(const char* key, std::vector<std::string>& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_array()) wrong_type(key, "an array of strings", *node);
  value.clear();
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_string()) wrong_item(key, "an array of strings", item);
    value.push_back(item.as_string()->get());
  }
}

void TomlReader::read(const char* key, std::array<double, 3>& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* items = node->as_array();
  if (items == nullptr) wrong_type(key, "an array of three numbers", *node);
  if (items->size() != value.size()) fail(key, "must be three numbers, one a channel");
  for (size_t i = 0; i < value.size(); ++i) {
    const toml::node& item = *items->get(i);
    if (!item.is_number()) wrong_item(key, "an array of three numbers", item);
    value[i] = as_number(item);
    check_range(key, value[i], item);
  }
}

void TomlReader::read(const char* key, int64_t& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_integer()) wrong_type(key, "an integer", *node);
  value = node->as_integer()->get();
  check_range(key, value, *node);
}

void TomlReader::read(const char* key, std::optional<int64_t>& value) {
  int64_t number = 0;
  read(key, number);
  if (has(key)) value = number;
}

const toml::table* TomlReader::table(const char* key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) wrong_type(key, "a table", *node);
  return node->as_table();
}

void TomlReader::at(const char* key, const std::function<void()>& check) const {
  try {
    check();
  } catch (const UserError& error) {
    const toml::node* node = table_.get(key);
    const std::string where = node == nullptr ? file_ + ": " : place(node->source());
    throw UserError(error.code(), printable(where) + shown(key) + ": " + error.what());
  }
}

void TomlReader::finish() const {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    bool is_known = false;
    for (const std::string& known : known_)
      is_known = is_known || known == name;
    if (is_known) continue;
    const std::string part = heading_.empty() ? "" : " in [" + heading_ + "]";
    throw UserError(ErrorCode::usage, place(key.source()) + "unknown key '" + shortened(name, 100) + "'" +
                                          part + did_you_mean(name, known_));
  }
}

void TomlReader::require(const char* key, const std::string& what) const {
  if (has(key)) return;
  const std::string part = heading_.empty() ? "" : " in [" + heading_ + "]";
  throw UserError(ErrorCode::usage, file_ + ": the key '" + key + "'" + part + " is missing: " + what);
}

void TomlReader::fail(const char* key, const std::string& what) const {
  constexpr size_t longest = 1000;
  throw UserError(ErrorCode::usage,
                  place(table_.get(key)->source()) + shown(key) + " " + shortened(what, longest));
}

const toml::node* TomlReader::find(const char* key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TomlReader::wrong_type(const char* key, const char* expected, const toml::node& found) const {
  throw UserError(ErrorCode::usage, place(found.source()) + shown(key) + " must be " + expected +
                                        ", and is " + type_name(found));
}

template <typename Number>
void TomlReader::check_range(const char* key, Number value, const toml::node& found) const {
  check_number(key, value, place(found.source()) + shown(key));
}

void TomlReader::wrong_item(const char* key, const char* expected, const toml::node& found) const {
  throw UserError(ErrorCode::usage, place(found.source()) + shown(key) + " must be " + expected +
                                        ", and holds " + type_name(found));
}

std::string TomlReader::place(const toml::source_region& source) const {
  return file_ + ", line " + std::to_string(source.begin.line) + ": ";
}

std::string TomlReader::shown(const std::string& key) const {
  return heading_.empty() ? key : "[" + heading_ + "] " + key;
}

}  // namespace faultwave
