// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace faultwave::detail {

/// An integer expression over free sizes, in either of the two ways in which an exported program writes it:
/// a size as sympy constructor calls, "Mul(Integer(2), Symbol('s77', positive=True, integer=True))", or a
/// guard as Python code, "L['y'].size()[0] == (2*L['x'].size()[0])". Comparisons and logic are 0 or 1.
class Expression {
 public:
  /// Value of a variable ("s77", "L['x'].size()[0]"), or empty if it is not known.
  using Lookup = std::function<std::optional<int64_t>(const std::string& variable)>;

  /// Empty if the text is not understood, or nested more than 200 deep.
  static std::optional<Expression> parse(std::string_view text);

  /// Empty if a variable or a function is not known, on a division by zero, or if a number does not fit 64
  /// bits.
  std::optional<int64_t> evaluate(const Lookup& lookup) const;

  /// The variable's name if the expression is nothing but one, else "".
  std::string variable() const { return kind_ == Kind::variable ? name_ : std::string(); }
  std::set<std::string> variables() const;

  /// "2*s77", for messages.
  std::string text() const;

 private:
  friend class ExpressionParser;
  enum class Kind { number, variable, function };

  static Expression number(int64_t value);
  static Expression named(Kind kind, std::string name, std::vector<Expression> arguments = {});

  Kind kind_ = Kind::number;
  int64_t value_ = 0;
  std::string name_;                   // of a variable, or of a function as sympy names it: "Mul", "Eq"
  std::vector<Expression> arguments_;  // of a function
  size_t depth_ = 0;                   // of functions in it
};

}  // namespace faultwave::detail
