// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "src/fault/scanner.h"

namespace faultwave {

/// Whether an argument may hold it: all but spaces and ( ) , ; = # " [ ] @.
bool is_argument_character(char c);

/// What is wrong with one argument; take_error_model turns it into a UserError with line and column.
struct ArgumentError : std::runtime_error {
  ArgumentError(size_t where, const std::string& message) : std::runtime_error(message), position(where) {}
  size_t position;  ///< in the scanner's text
};

/// The arguments of a text, "(6, scale=0.05)", split but not yet understood: positional ones, and `key=value`
/// pairs, which may stand anywhere. The members throw ArgumentError, the constructor UserError(usage).
class ArgumentTexts {
 public:
  /// Reads the arguments that follow `model`; without parentheses there are none.
  ArgumentTexts(std::string_view model, Scanner& scanner);

  struct Argument {
    std::string_view key;  // empty for a positional one
    std::string_view text;
    size_t position;
  };

  size_t count() const { return positional_.size(); }
  bool has(std::string_view key) const { return find(key) != nullptr; }

  /// Checks the number of positional arguments and that no key but `keys` is given. `form` is what was
  /// expected.
  void expect(size_t at_least, size_t at_most, const std::vector<std::string_view>& keys,
              std::string_view form) const;

  std::string_view text(size_t index) const { return positional_.at(index).text; }
  double number(size_t index) const;
  int integer(size_t index) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<int> integer(std::string_view key) const;

  /// Says that positional argument `index` is not what was expected.
  [[noreturn]] void fail(size_t index, std::string_view expected) const;

  /// Says that an argument is not what was expected.
  [[noreturn]] void fail(const Argument& argument, std::string_view expected) const;

  const Argument& positional(size_t index) const { return positional_.at(index); }
  /// Null where the key is not given.
  const Argument* find(std::string_view key) const;
  const std::string& model() const { return model_; }

 private:
  double number_of(const Argument& argument) const;
  int integer_of(const Argument& argument) const;

  std::string model_;
  size_t position_;  // of the model's arguments
  std::vector<Argument> positional_;
  std::vector<Argument> named_;
};

}  // namespace faultwave
