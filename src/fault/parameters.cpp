// SPDX-License-Identifier: Apache-2.0
#include "src/fault/parameters.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/fault/scanner.h"

namespace faultwave {
namespace {

bool has_lowest(const Parameter& parameter) {
  return std::isfinite(parameter.lowest);
}

bool has_highest(const Parameter& parameter) {
  return std::isfinite(parameter.highest);
}

bool is_plain_number(const Parameter& parameter) {
  return parameter.type == Parameter::Type::number && !has_lowest(parameter) && !has_highest(parameter);
}

bool is_in_range(const Parameter& parameter, double value) {
  if (std::isnan(value)) return !has_lowest(parameter) && !has_highest(parameter);
  return value >= parameter.lowest && value <= parameter.highest;
}

/// " from 0 to 7", or "".
std::string range_text(const Parameter& parameter) {
  const std::string lowest = format_number(parameter.lowest);
  const std::string highest = format_number(parameter.highest);
  if (has_lowest(parameter) && has_highest(parameter)) return " from " + lowest + " to " + highest;
  if (has_lowest(parameter)) return " of at least " + lowest;
  return has_highest(parameter) ? " of at most " + highest : "";
}

/// "low, middle or high".
std::string words_text(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

/// "a whole number from 0 to 7 for bit".
std::string wanted(const Parameter& parameter) {
  const std::string name = " for " + parameter.name;
  switch (parameter.type) {
    case Parameter::Type::integer:
      return "a whole number" + range_text(parameter) + name;
    case Parameter::Type::number:
      return "a number" + range_text(parameter) + name;
    case Parameter::Type::word:
      return (parameter.words.empty() ? "a word" : words_text(parameter.words)) + name;
  }
  throw InternalError("a parameter of unknown type");
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_argument_character);
}

UserError senseless(const std::string& what, const std::string& why) {
  return UserError(ErrorCode::usage, what + " has parameters that make no sense: " + why);
}

void check_parameter(const std::string& what, const Parameter& parameter) {
  const std::string& name = parameter.name;
  const auto may_follow = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  if (name.empty() || !is_letter(name.front()) || !std::all_of(name.begin(), name.end(), may_follow)) {
    throw senseless(what, "'" + name + "' is no name; expected a letter, then letters, digits and '_'");
  }
  if (!(parameter.lowest <= parameter.highest)) throw senseless(what, "the range of " + name + " is empty");
  if (!std::all_of(parameter.words.begin(), parameter.words.end(), is_word))
    throw senseless(what, "a word of " + name + " cannot be written as an argument");
  const bool has_default = parameter.otherwise && !parameter.otherwise->empty();
  if (has_default && !parse_value(parameter, *parameter.otherwise)) {
    throw senseless(what,
                    "expected " + wanted(parameter) + ", and left out it is '" + *parameter.otherwise + "'");
  }
}

}  // namespace

std::string form_of(const std::string& name, const std::vector<Parameter>& parameters) {
  if (parameters.empty()) return name;
  std::string text = name + "(";
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string argument = (i > 0 ? "," : "") + parameters[i].name;
    text += i > 0 && parameters[i].otherwise ? "[" + argument + "]" : argument;
  }
  return (parameters.front().otherwise ? name + " or " : "") + text + ")";
}

std::string wanted_arguments(const std::vector<Parameter>& parameters) {
  const bool are_plain =
      parameters.size() > 1 && std::all_of(parameters.begin(), parameters.end(), is_plain_number);
  std::string text = are_plain ? "numbers for " : "";
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (i > 0) text += " and ";
    if (parameters[i].otherwise) text += "if wanted ";
    text += are_plain ? parameters[i].name : wanted(parameters[i]);
  }
  return text;
}

std::optional<Arguments::Value> parse_value(const Parameter& parameter, std::string_view text) {
  if (parameter.type == Parameter::Type::word) {
    const std::vector<std::string>& words = parameter.words;
    const bool is_known = words.empty() || std::find(words.begin(), words.end(), text) != words.end();
    if (!is_known || !is_word(text)) return std::nullopt;
    return std::string(text);
  }
  if (parameter.type == Parameter::Type::integer) {
    const std::optional<int> number = parse_int(text);
    if (!number || !is_in_range(parameter, *number)) return std::nullopt;
    return int64_t{*number};
  }
  const std::optional<double> number = parse_number(text);
  if (!number || !is_in_range(parameter, *number)) return std::nullopt;
  return *number;
}

Arguments::Value value_if_left_out(const Parameter& parameter) {
  const std::string text = parameter.otherwise.value_or("");
  if (text.empty()) return {};
  return parse_value(parameter, text).value();
}

Arguments read_arguments(const ArgumentTexts& texts, const std::vector<Parameter>& parameters) {
  size_t required = 0;
  std::vector<std::string_view> keys;
  for (const Parameter& parameter : parameters) {
    required += parameter.otherwise ? 0 : 1;
    keys.push_back(parameter.name);
  }
  // Arguments that go by their names need not stand in their places.
  size_t named = 0;
  for (size_t i = 0; i < required; ++i)
    named += texts.has(keys[i]) ? 1 : 0;
  const std::string form = parameters.empty() ? "no arguments" : form_of(texts.model(), parameters);
  texts.expect(required - named, parameters.size(), keys, form);

  std::vector<Arguments::Value> values;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ArgumentTexts::Argument* argument = texts.find(keys[i]);
    if (i < texts.count()) {
      if (argument != nullptr) {
        throw ArgumentError(argument->position,
                            parameters[i].name + " of " + texts.model() + " is given twice");
      }
      argument = &texts.positional(i);
    }
    if (argument == nullptr) {
      values.push_back(value_if_left_out(parameters[i]));
      continue;
    }
    const std::optional<Arguments::Value> value = parse_value(parameters[i], argument->text);
    if (!value) texts.fail(*argument, wanted(parameters[i]));
    values.push_back(*value);
  }
  return Arguments(texts.model(), parameters, std::move(values));
}

void check_parameters(const std::string& what, const std::vector<Parameter>& parameters) {
  std::set<std::string> names;
  bool may_be_left_out = false;
  for (const Parameter& parameter : parameters) {
    check_parameter(what, parameter);
    if (!names.insert(parameter.name).second)
      throw senseless(what, "there are two of the name " + parameter.name);
    if (may_be_left_out && !parameter.otherwise)
      throw senseless(what,
                      parameter.name + " stands behind one that can be left out, and cannot be left out");
    may_be_left_out = parameter.otherwise.has_value();
  }
}

void check_extension_name(const std::string& what, const std::string& name) {
  constexpr size_t longest = 40;
  const auto may_follow = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '.'; };
  const bool is_name = !name.empty() && name.size() <= longest && is_letter(name.front()) &&
                       std::all_of(name.begin(), name.end(), may_follow);
  if (is_name) return;
  throw UserError(ErrorCode::usage, "'" + name + "' cannot name " + what +
                                        ": expected a letter, then letters, digits, '_' and '.', at most " +
                                        std::to_string(longest) + " in all");
}

}  // namespace faultwave
