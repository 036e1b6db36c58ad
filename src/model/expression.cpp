// SPDX-License-Identifier: Apache-2.0
#include "src/model/expression.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultwave::detail {
namespace {

// Whoever goes through an expression calls itself for each level.
constexpr size_t kDeepest = 200;

using MaybeInt = std::optional<int64_t>;

MaybeInt subtract(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_sub_overflow(a, b, &result) ? std::nullopt : MaybeInt(result);
}

MaybeInt floor_divide(int64_t a, int64_t b) {
  if (b == 0) return std::nullopt;
  if (b == -1) return subtract(0, a);  // the least number has no opposite, and the processor traps
  const int64_t quotient = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? quotient - 1 : quotient;
}

MaybeInt ceil_divide(int64_t a, int64_t b) {
  const MaybeInt floor = floor_divide(a, b);
  return floor && b != -1 && a % b != 0 ? MaybeInt(*floor + 1) : floor;
}

/// With the sign of b, as Python has it.
MaybeInt modulo(int64_t a, int64_t b) {
  if (b == 0) return std::nullopt;
  if (b == -1) return 0;
  const int64_t remainder = a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

std::optional<int64_t> power(int64_t base, int64_t exponent) {
  if (exponent < 0 || exponent > 62) return std::nullopt;
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) return std::nullopt;
  }
  return result;
}

std::optional<int64_t> apply_to_two(const std::string& function, int64_t a, int64_t b) {
  if (function == "FloorDiv" || function == "CleanDiv") return floor_divide(a, b);
  if (function == "CeilDiv") return ceil_divide(a, b);
  if (function == "Mod" || function == "PythonMod") return modulo(a, b);
  if (function == "Sub") return subtract(a, b);
  if (function == "Pow" || function == "PowByNatural") return power(a, b);
  if (function == "Eq" || function == "Equality") return a == b;
  if (function == "Ne" || function == "Unequality") return a != b;
  if (function == "Lt" || function == "StrictLessThan") return a < b;
  if (function == "Le" || function == "LessThan") return a <= b;
  if (function == "Gt" || function == "StrictGreaterThan") return a > b;
  if (function == "Ge" || function == "GreaterThan") return a >= b;
  return std::nullopt;
}

std::optional<int64_t> apply_function(const std::string& function, const std::vector<int64_t>& values) {
  if (values.empty()) return std::nullopt;
  if (function == "Neg") return subtract(0, values[0]);
  if (function == "Not") return values[0] == 0;
  if (function == "Identity") return values[0];
  if (function == "Max") return *std::max_element(values.begin(), values.end());
  if (function == "Min") return *std::min_element(values.begin(), values.end());
  if (function == "And") return std::all_of(values.begin(), values.end(), [](int64_t v) { return v != 0; });
  if (function == "Or") return std::any_of(values.begin(), values.end(), [](int64_t v) { return v != 0; });
  if (function == "Add" || function == "Mul") {
    int64_t result = values[0];
    for (size_t i = 1; i < values.size(); ++i) {
      const bool overflow = function == "Add" ? __builtin_add_overflow(result, values[i], &result)
                                              : __builtin_mul_overflow(result, values[i], &result);
      if (overflow) return std::nullopt;
    }
    return result;
  }
  return values.size() == 2 ? apply_to_two(function, values[0], values[1]) : std::nullopt;
}

}  // namespace

/// Recursive descent over the Python subset that both ways of writing share. Every function leaves
/// empty-handed (nullopt) where the text is not of that subset, or goes too deep.
class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text) {}

  std::optional<Expression> whole() {
    auto result = binary(0);
    skip_spaces();
    return at_ == text_.size() ? result : std::nullopt;
  }

 private:
  using Maybe = std::optional<Expression>;
  using Operators = std::vector<std::pair<std::string_view, const char*>>;

  /// Operators by rank, loosest first; within a rank a longer one comes before its own beginning.
  static const std::vector<Operators>& ranks() {
    static const std::vector<Operators> table = {
        {{"or ", "Or"}},
        {{"and ", "And"}},
        {{"==", "Eq"}, {"!=", "Ne"}, {"<=", "Le"}, {">=", "Ge"}, {"<", "Lt"}, {">", "Gt"}},
        {{"+", "Add"}, {"-", "Sub"}},
        {{"*", "Mul"}, {"//", "FloorDiv"}, {"%", "Mod"}},
    };
    return table;
  }

  Maybe binary(size_t rank) {
    if (rank == ranks().size()) return unary();
    Maybe left = binary(rank + 1);
    while (left) {
      const char* function = take_operator(ranks()[rank]);
      if (function == nullptr) return left;
      left = applied(function, std::move(left), binary(rank + 1));
    }
    return std::nullopt;
  }

  Maybe unary() {
    const Level level(depth_);
    if (depth_ > kDeepest) return std::nullopt;
    if (take("not ")) return applied("Not", unary());
    if (take("-")) return applied("Neg", unary());
    Maybe base = primary();
    return base && take("**") ? applied("Pow", std::move(base), unary()) : base;
  }

  /// Every way down goes through unary().
  class Level {
   public:
    explicit Level(size_t& depth) : depth_(depth) { ++depth_; }
    ~Level() { --depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    size_t& depth_;
  };

  template <typename... Arguments>
  static Maybe applied(const char* function, Arguments... arguments) {
    if (!(arguments && ...)) return std::nullopt;
    std::vector<Expression> values;
    (values.push_back(std::move(*arguments)), ...);
    return call_of(function, std::move(values));
  }

  static Maybe call_of(std::string function, std::vector<Expression> arguments) {
    Expression result =
        Expression::named(Expression::Kind::function, std::move(function), std::move(arguments));
    if (result.depth_ > kDeepest) return std::nullopt;
    return result;
  }

  Maybe primary() {
    skip_spaces();
    if (take("(")) {
      Maybe inside = binary(0);
      return take(")") ? inside : std::nullopt;
    }
    if (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) return digits();
    const std::string name = word();
    if (name.empty()) return std::nullopt;
    if (name == "Symbol") return symbol();
    if (take("(")) return call(name);
    return path(name);
  }

  Maybe digits() {
    const size_t begin = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])))
      ++at_;
    if (at_ < text_.size() && text_[at_] == '.') return std::nullopt;
    int64_t number = 0;
    const auto parsed = std::from_chars(text_.data() + begin, text_.data() + at_, number);
    if (parsed.ec != std::errc()) return std::nullopt;
    return Expression::number(number);
  }

  /// What follows "Symbol": ('s77', positive=True, integer=True)
  Maybe symbol() {
    if (!take("('")) return std::nullopt;
    const size_t quote = text_.find('\'', at_);
    const size_t close = text_.find(')', at_);
    if (quote == std::string_view::npos || close == std::string_view::npos || quote > close)
      return std::nullopt;
    std::string name(text_.substr(at_, quote - at_));
    at_ = close + 1;
    return Expression::named(Expression::Kind::variable, std::move(name));
  }

  Maybe call(const std::string& name) {
    std::vector<Expression> arguments;
    if (!take(")")) {
      do {
        Maybe argument = binary(0);
        if (!argument) return std::nullopt;
        arguments.push_back(std::move(*argument));
      } while (take(","));
      if (!take(")")) return std::nullopt;
    }
    if (name == "Integer" && arguments.size() == 1) return arguments[0];
    static const std::map<std::string, std::string> python_names = {{"max", "Max"}, {"min", "Min"}};
    const auto python = python_names.find(name);
    return call_of(python == python_names.end() ? name : python->second, std::move(arguments));
  }

  /// A variable and what may follow it: L['x'].size()[0]
  Maybe path(std::string name) {
    while (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '.')) {
      if (text_[at_] == '[') {
        const size_t close = text_.find(']', at_);
        if (close == std::string_view::npos) return std::nullopt;
        name += text_.substr(at_, close + 1 - at_);
        at_ = close + 1;
        continue;
      }
      ++at_;
      name += '.';
      name += word();
      if (text_.substr(at_, 2) == "()") {
        name += "()";
        at_ += 2;
      }
    }
    return Expression::named(Expression::Kind::variable, std::move(name));
  }

  std::string word() {
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) {
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  const char* take_operator(const Operators& operators) {
    for (const auto& [sign, function] : operators) {
      if (take(sign)) return function;
    }
    return nullptr;
  }

  bool take(std::string_view token) {
    skip_spaces();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])))
      ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

Expression Expression::number(int64_t value) {
  Expression result;
  result.value_ = value;
  return result;
}

Expression Expression::named(Kind kind, std::string name, std::vector<Expression> arguments) {
  Expression result;
  result.kind_ = kind;
  result.name_ = std::move(name);
  for (const Expression& argument : arguments)
    result.depth_ = std::max(result.depth_, argument.depth_ + 1);
  result.arguments_ = std::move(arguments);
  return result;
}

std::optional<Expression> Expression::parse(std::string_view text) {
  return ExpressionParser(text).whole();
}

std::optional<int64_t> Expression::evaluate(const Lookup& lookup) const {
  if (kind_ == Kind::number) return value_;
  if (kind_ == Kind::variable) return lookup(name_);
  std::vector<int64_t> values;
  for (const Expression& argument : arguments_) {
    const auto value = argument.evaluate(lookup);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return apply_function(name_, values);
}

std::set<std::string> Expression::variables() const {
  if (kind_ == Kind::variable) return {name_};
  std::set<std::string> result;
  for (const Expression& argument : arguments_)
    result.merge(argument.variables());
  return result;
}

std::string Expression::text() const {
  if (kind_ == Kind::number) return std::to_string(value_);
  if (kind_ == Kind::variable) return name_;
  static const std::map<std::string, std::string> signs = {{"Add", " + "},     {"Sub", " - "}, {"Mul", "*"},
                                                           {"FloorDiv", "//"}, {"Mod", "%"},   {"Pow", "**"}};
  const auto sign = signs.find(name_);
  const bool infix = sign != signs.end();
  std::string result;
  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (i > 0) result += infix ? sign->second : ", ";
    const bool brackets = infix && arguments_[i].kind_ == Kind::function;
    if (brackets) result += '(';
    result += arguments_[i].text();
    if (brackets) result += ')';
  }
  return infix ? result : name_ + "(" + result + ")";
}

}  // namespace faultwave::detail
