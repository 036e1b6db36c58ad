// SPDX-License-Identifier: Apache-2.0
#include "faultwave/specification.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "faultwave/error.h"

namespace faultwave {
namespace {

/// A line of the canonical text.
struct Line {
  std::string table;  // "" for the top level
  std::string key;
  std::string value;  // as TOML
};

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      result += '\\';
      result += letter;
    } else if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(letter));
      result += escape;
    } else {
      result += letter;
    }
  }
  return result + '"';
}

/// The shortest text that reads back as the same number.
std::string number(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

template <typename Items, typename Text>
std::string list(const Items& items, Text text) {
  std::string result = "[";
  for (const auto& item : items)
    result += (result.size() == 1 ? "" : ", ") + text(item);
  return result + "]";
}

std::vector<Line> lines_of(const Specification& spec) {
  std::vector<Line> lines = {
      {"", "model", quoted(spec.model)},
      {"", "input", quoted(spec.input)},
      {"", "seed", std::to_string(spec.seed)},
      {"", "engine", quoted(spec.engine)},
      {"", "audit", number(spec.audit)},
      {"", "device", quoted(spec.device)},
      {"", "batch", std::to_string(spec.batch)},
      {"", "block", std::to_string(spec.block)},
      {"", "confidence", number(spec.confidence)},
      {"fault", "draw", quoted(std::string(to_string(spec.draw)))},
      {"fault", "calibrate", std::to_string(spec.calibrate)},
      {"preprocess", "mean", list(spec.preprocess.mean, number)},
      {"preprocess", "std", list(spec.preprocess.std, number)},
  };
  // Keys whose absence means something are written only if they are there. A line belongs behind others of
  // its table.
  auto add = [&](const Line& line) {
    auto place = lines.begin();
    bool is_new_table = true;
    for (auto it = lines.begin(); it != lines.end(); ++it) {
      if (it->table != line.table) continue;
      place = it + 1;
      is_new_table = false;
    }
    lines.insert(is_new_table ? lines.end() : place, line);
  };
  if (!spec.criteria.empty()) add({"", "criteria", list(spec.criteria, quoted)});
  if (spec.random_key) add({"", "random_key", std::to_string(*spec.random_key)});
  if (!spec.labels.empty()) add({"", "labels", quoted(spec.labels)});
  if (spec.trials > 0) add({"", "trials", std::to_string(spec.trials)});
  if (spec.goes_in_rounds()) add({"", "round", std::to_string(spec.round)});
  if (spec.timeout > 0) add({"", "timeout", number(spec.timeout)});
  if (spec.inputs_in_turn) add({"", "inputs", quoted("in turn")});
  if (spec.only_right) add({"", "only_right", "true"});
  if (!spec.keep.empty()) add({"", "keep", quoted(spec.keep)});
  const bool is_list = spec.draw == DrawRule::list;  // then the fault lines say the kind
  if (!is_list) add({"fault", "kind", quoted(std::string(to_string(spec.kind)))});
  if (!spec.error.empty()) add({"fault", "error", quoted(spec.error)});
  if (!spec.list.empty()) add({"fault", "list", quoted(spec.list)});
  if (spec.faults_per_trial > 1) add({"fault", "per_trial", std::to_string(spec.faults_per_trial)});
  if (spec.faults_per_trial == 0) add({"fault", "per_trial", quoted("each layer")});
  if (spec.stop.half_width > 0) add({"stop", "half_width", number(spec.stop.half_width)});
  if (!spec.stop.criteria.empty()) add({"stop", "criteria", list(spec.stop.criteria, quoted)});
  if (spec.stop.minutes > 0) add({"stop", "minutes", number(spec.stop.minutes)});
  if (!spec.dtype.empty()) add({"", "dtype", quoted(spec.dtype)});
  if (!spec.sites.empty()) add({"fault", "sites", list(spec.sites, quoted)});
  if (spec.preprocess.resize) add({"preprocess", "resize", std::to_string(*spec.preprocess.resize)});
  if (spec.preprocess.crop) add({"preprocess", "crop", std::to_string(*spec.preprocess.crop)});
  return lines;
}

std::string shown_key(const Line& line) {
  return line.table.empty() ? line.key : "[" + line.table + "] " + line.key;
}

const Line* find_line(const std::vector<Line>& lines, const Line& wanted) {
  for (const Line& line : lines) {
    if (line.table == wanted.table && line.key == wanted.key) return &line;
  }
  return nullptr;
}

}  // namespace

bool Specification::keeps_all() const {
  constexpr int64_t kFew = 100'000;
  if (!keep.empty()) return keep == "all";
  return !goes_in_rounds() && trials > 0 && trials <= kFew;
}

std::string Specification::resolve(const std::string& path) const {
  if (path.empty() || folder.empty() || std::filesystem::path(path).is_absolute()) return path;
  return (std::filesystem::path(folder) / path).string();
}

std::string to_string(const Specification& specification) {
  std::string text;
  std::string table;
  for (const Line& line : lines_of(specification)) {
    if (line.table != table) text += "\n[" + line.table + "]\n";
    table = line.table;
    text += line.key + " = " + line.value + "\n";
  }
  return text;
}

std::string describe_difference(const Specification& there, const Specification& here) {
  const std::vector<Line> old_lines = lines_of(there);
  const std::vector<Line> new_lines = lines_of(here);
  std::string text;
  auto add = [&](const Line& line, const std::string& old_value, const std::string& new_value) {
    text += (text.empty() ? "" : ", ") + shown_key(line) + " is " + old_value + " there and " + new_value +
            " here";
  };
  for (const Line& line : old_lines) {
    const Line* other = find_line(new_lines, line);
    const std::string new_value = other == nullptr ? "left out" : other->value;
    if (new_value != line.value) add(line, line.value, new_value);
  }
  for (const Line& line : new_lines) {
    if (find_line(old_lines, line) == nullptr) add(line, "left out", line.value);
  }
  return text;
}

}  // namespace faultwave
