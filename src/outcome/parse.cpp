// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "faultwave/error.h"

#include "src/common/near_names.h"
#include "src/common/numbers.h"
#include "src/outcome/criteria.h"

namespace faultwave {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The numbers of "(0.2, 3)", none for "". Empty if the text is neither.
std::optional<std::vector<double>> parse_arguments(std::string_view text) {
  std::vector<double> arguments;
  if (text.empty()) return arguments;
  if (text.front() != '(' || text.back() != ')' || text.size() < 2) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  while (true) {
    const size_t comma = text.find(',');
    const std::optional<double> number = parse_number(trimmed(text.substr(0, comma)));
    if (!number) return std::nullopt;
    arguments.push_back(*number);
    if (comma == std::string_view::npos) return arguments;
    text.remove_prefix(comma + 1);
  }
}

std::string choices() {
  std::string text;
  for (const CriterionKind& kind : criterion_kinds()) {
    text += (text.empty() ? "" : ", ") + kind.form();
  }
  return text;
}

/// " with numbers for iou and, if wanted, score"; "" for a criterion that takes none.
std::string wanted_numbers(const CriterionKind& kind) {
  std::string text;
  for (size_t i = 0; i < kind.arguments.size(); ++i) {
    if (i > 0) text += " and ";
    if (i >= kind.required) text += "if wanted ";
    text += kind.arguments[i];
  }
  if (text.empty()) return text;
  return (kind.arguments.size() == 1 ? " with a number for " : " with numbers for ") + text;
}

}  // namespace

std::string CriterionKind::form() const {
  if (arguments.empty()) return name;
  std::string text = name + "(";
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string comma = i > 0 ? "," : "";
    text += i < required ? comma + arguments[i] : "[" + comma + arguments[i] + "]";
  }
  return text + ")";
}

int64_t class_count(const char* name, const std::vector<double>& arguments) {
  const double count = arguments.at(0);
  if (!(count >= 1 && count <= 1e9 && count == std::floor(count))) {
    throw UserError(ErrorCode::usage, std::string("criterion ") + name + "(" + format_number(count) +
                                          "): expected a number of classes from 1 up, such as 5");
  }
  return static_cast<int64_t>(count);
}

CriterionPtr parse_criterion(std::string_view text) {
  const std::string_view whole = trimmed(text);
  const size_t name_length = std::min(whole.find('('), whole.size());
  const std::string_view name = trimmed(whole.substr(0, name_length));
  for (const CriterionKind& kind : criterion_kinds()) {
    if (kind.name != name) continue;
    const auto arguments = parse_arguments(whole.substr(name_length));
    if (!arguments || arguments->size() < kind.required || arguments->size() > kind.arguments.size()) {
      throw UserError(ErrorCode::usage, "criterion '" + std::string(whole) + "': expected " + kind.form() +
                                            wanted_numbers(kind));
    }
    return kind.make(*arguments);
  }
  throw UserError(ErrorCode::usage, "unknown criterion '" + std::string(whole) + "': expected one of " +
                                        choices() + did_you_mean(name, criterion_names()));
}

std::vector<std::string> criterion_names() {
  std::vector<std::string> names;
  for (const CriterionKind& kind : criterion_kinds()) {
    names.push_back(kind.name);
  }
  return names;
}

}  // namespace faultwave
