// SPDX-License-Identifier: Apache-2.0
// What stands in the parentheses of an error model or a criterion: `mine.stuck(3,high)`.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

/// One argument that a text may give, in its place or by its name: `mine.stuck(3)` or `mine.stuck(bit=3)`.
struct Parameter {
  enum class Type : uint8_t {
    integer,  ///< a whole number of 32 bits with sign
    number,   ///< any decimal notation
    word,     ///< letters, digits and signs but spaces and ( ) , ; = # " [ ] @
  };
  std::string name;  ///< "bit": a letter, then letters, digits and '_'
  Type type = Type::number;
  /// Ends of what an integer or number may be, both included. Without ends a number may be NaN, too.
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
  /// What a word may be; empty: any.
  std::vector<std::string> words{};
  /// As it would be written: what is taken where the argument is left out. "" where it then has no value.
  /// Without this the argument has to be given, and must stand before all that can be left out.
  std::optional<std::string> otherwise{};
};

/// The arguments of one text, of the types and in the ranges that their parameters ask for.
class Arguments {
 public:
  using Value = std::variant<std::monostate, int64_t, double, std::string>;

  /// `name` is what they belong to, "mine.stuck". One value a parameter, in their order, std::monostate for
  /// those that have none. They are not checked.
  Arguments(std::string name, std::vector<Parameter> parameters, std::vector<Value> values);

  /// Whether the argument has a value: it was given, or has one where it is left out.
  bool has(std::string_view parameter) const;
  /// Throw UserError(usage) for a parameter that there is not, is of another type, or has no value.
  int64_t integer(std::string_view parameter) const;
  double number(std::string_view parameter) const;
  const std::string& word(std::string_view parameter) const;

  /// The same with another value of one argument. Throws UserError(usage) for one that there is not.
  Arguments with(std::string_view parameter, Value value) const;

  /// The one text that gives these arguments: "mine.stuck(3,high)". What is as if left out is left out;
  /// arguments behind one that was left out go by their name: "mine.stuck(level=low)".
  std::string text() const;

 private:
  size_t place_of(std::string_view parameter) const;
  template <typename Type>
  const Type& value(std::string_view parameter, const char* type) const;

  std::string name_;
  std::vector<Parameter> parameters_;
  std::vector<Value> values_;
};

}  // namespace faultwave
#pragma GCC visibility pop
