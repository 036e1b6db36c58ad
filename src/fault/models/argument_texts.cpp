// SPDX-License-Identifier: Apache-2.0
#include "src/fault/models/argument_texts.h"

#include <algorithm>

#include "src/common/numbers.h"

namespace faultwave {

bool is_argument_character(char c) {
  return !is_space(c) && std::string_view("(),;=#\"[]@").find(c) == std::string_view::npos;
}

ArgumentTexts::ArgumentTexts(std::string_view model, Scanner& scanner)
    : model_(model), position_(scanner.position()) {
  if (!scanner.take_if('(')) return;
  do {
    scanner.skip_spaces();
    const size_t position = scanner.position();
    Argument argument{{}, scanner.take_while(is_argument_character), position};
    if (argument.text.empty()) scanner.fail_expected("an argument of " + model_);
    scanner.skip_spaces();
    if (scanner.take_if('=')) {
      scanner.skip_spaces();
      argument.key = argument.text;
      argument.text = scanner.take_while(is_argument_character);
      if (argument.text.empty()) scanner.fail_expected("a value after '='");
      scanner.skip_spaces();
      if (has(argument.key)) scanner.fail_at(position, std::string(argument.key) + "= is given twice");
    }
    (argument.key.empty() ? positional_ : named_).push_back(argument);
  } while (scanner.take_if(','));
  scanner.expect(')', "',' or ')'");
}

const ArgumentTexts::Argument* ArgumentTexts::find(std::string_view key) const {
  const auto found = std::find_if(named_.begin(), named_.end(),
                                  [key](const Argument& argument) { return argument.key == key; });
  return found == named_.end() ? nullptr : &*found;
}

void ArgumentTexts::expect(size_t at_least, size_t at_most, const std::vector<std::string_view>& keys,
                           std::string_view form) const {
  for (const Argument& argument : named_) {
    if (std::find(keys.begin(), keys.end(), argument.key) == keys.end()) {
      throw ArgumentError(argument.position, model_ + " has no argument '" + std::string(argument.key) +
                                                 "=': expected " + std::string(form));
    }
  }
  if (count() < at_least || count() > at_most) {
    throw ArgumentError(position_, model_ + " expects " + std::string(form) + " but got " +
                                       std::to_string(count()) + (count() == 1 ? " argument" : " arguments"));
  }
}

double ArgumentTexts::number(size_t index) const {
  return number_of(positional_.at(index));
}

int ArgumentTexts::integer(size_t index) const {
  return integer_of(positional_.at(index));
}

std::optional<double> ArgumentTexts::number(std::string_view key) const {
  const Argument* argument = find(key);
  if (argument == nullptr) return std::nullopt;
  return number_of(*argument);
}

std::optional<int> ArgumentTexts::integer(std::string_view key) const {
  const Argument* argument = find(key);
  if (argument == nullptr) return std::nullopt;
  return integer_of(*argument);
}

double ArgumentTexts::number_of(const Argument& argument) const {
  const std::optional<double> number = parse_number(argument.text);
  if (!number) fail(argument, "a number");
  return *number;
}

int ArgumentTexts::integer_of(const Argument& argument) const {
  const std::optional<int> number = parse_int(argument.text);
  if (!number) fail(argument, "a whole number");
  return *number;
}

void ArgumentTexts::fail(size_t index, std::string_view expected) const {
  fail(positional_.at(index), expected);
}

void ArgumentTexts::fail(const Argument& argument, std::string_view expected) const {
  throw ArgumentError(argument.position, "expected " + std::string(expected) + " but found '" +
                                             std::string(argument.text) + "' in " + model_);
}

}  // namespace faultwave
