// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>
#include <string>

#include "faultwave/error.h"

#include "src/common/near_names.h"
#include "src/outcome/criteria.h"

namespace faultwave {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
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
    text += (text.empty() ? "" : ", ") + kind.form;
  }
  return text;
}

}  // namespace

CriterionPtr parse_criterion(std::string_view text) {
  const std::string_view whole = trimmed(text);
  const size_t name_length = std::min(whole.find('('), whole.size());
  const std::string_view name = trimmed(whole.substr(0, name_length));
  for (const CriterionKind& kind : criterion_kinds()) {
    if (kind.name != name) continue;
    const auto arguments = parse_arguments(whole.substr(name_length));
    if (!arguments || arguments->size() != kind.argument_count) {
      throw UserError(ErrorCode::usage, "criterion '" + std::string(whole) + "': expected " + kind.form +
                                            (kind.argument_count == 0 ? "" : " with a number for x"));
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
