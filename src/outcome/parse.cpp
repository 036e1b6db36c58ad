// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>

#include "faultwave/error.h"

#include "src/common/made_by_extension.h"
#include "src/common/near_names.h"
#include "src/common/numbers.h"
#include "src/fault/parameters.h"
#include "src/fault/scanner.h"
#include "src/outcome/criteria.h"

namespace faultwave {
namespace {

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return std::string(text);
}

std::string choices() {
  std::string text;
  for (const auto& type : criterion_types().all())
    text += (text.empty() ? "" : ", ") + form_of(type->entry.name, type->entry.parameters);
  return text;
}

/// The name that a text begins with, and its arguments.
struct CriterionText {
  explicit CriterionText(std::string_view text) : scanner(text, "criterion") {
    scanner.skip_spaces();
    name = scanner.take_while([](char c) { return !is_space(c) && c != '('; });
    scanner.skip_spaces();
  }

  /// Throws ArgumentError and UserError.
  Arguments read(const std::vector<Parameter>& parameters) {
    const ArgumentTexts texts(name, scanner);
    scanner.skip_spaces();
    scanner.expect_end("the end of the criterion");
    return read_arguments(texts, parameters);
  }

  Scanner scanner;
  std::string_view name;
};

UserError wrong_arguments(const std::string& text, const CriterionType& type) {
  const std::string wanted = wanted_arguments(type.parameters);
  return UserError(ErrorCode::usage, "criterion '" + text + "': expected " +
                                         form_of(type.name, type.parameters) +
                                         (wanted.empty() ? "" : " with ") + wanted);
}

CriterionPtr make_checked(const CriterionType& type, const Arguments& arguments) {
  const std::string what = "the criterion " + type.name;
  CriterionPtr criterion = made_by_extension(what, [&] { return type.make(arguments); });
  if (criterion->name() == type.name && criterion->text() == arguments.text()) return criterion;
  throw mistake_of_extension(what, "it is named '" + criterion->name() + "' and prints as '" +
                                       criterion->text() + "', and not as '" + type.name + "' and '" +
                                       arguments.text() + "'");
}

}  // namespace

int64_t class_count(const char* name, const Arguments& arguments) {
  const double count = arguments.number("k");
  if (!(count >= 1 && count <= 1e9 && count == std::floor(count))) {
    throw UserError(ErrorCode::usage, std::string("criterion ") + name + "(" + format_number(count) +
                                          "): expected a number of classes from 1 up, such as 5");
  }
  return static_cast<int64_t>(count);
}

CriterionPtr parse_criterion(std::string_view text) {
  CriterionText parts(text);
  const std::string whole = trimmed(text);
  const auto known = criterion_types().find(parts.name);
  if (!known) {
    throw UserError(ErrorCode::usage, "unknown criterion '" + whole + "': expected one of " + choices() +
                                          did_you_mean(parts.name, criterion_names()));
  }
  const CriterionType& type = known->entry;
  std::optional<Arguments> arguments;
  try {
    arguments = parts.read(type.parameters);
  } catch (const std::runtime_error&) {  // ArgumentError or UserError
    throw wrong_arguments(whole, type);
  }
  return known->is_builtin ? type.make(*arguments) : make_checked(type, *arguments);
}

std::vector<std::string> criterion_names() {
  std::vector<std::string> names;
  for (const auto& type : criterion_types().all())
    names.push_back(type->entry.name);
  return names;
}

}  // namespace faultwave
