// SPDX-License-Identifier: Apache-2.0
#include "src/model/expression.h"

#include <map>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "src/model/symbol_functions.h"

namespace faultwave::detail {
namespace {

std::optional<int64_t> value(const std::string& text, const std::map<std::string, int64_t>& variables = {}) {
  const auto expression = Expression::parse(text);
  if (!expression) return std::nullopt;
  return expression->evaluate([&](const std::string& name) -> std::optional<int64_t> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

TEST_CASE("sizes as sympy writes them") {
  const std::map<std::string, int64_t> s = {{"s77", 5}};
  CHECK_EQ(value("Symbol('s77', positive=True, integer=True)", s), 5);
  CHECK_EQ(value("Mul(Integer(2), Symbol('s77', positive=True, integer=True))", s), 10);
  CHECK_EQ(value("Add(Integer(-1), FloorDiv(Symbol('s77', integer=True), Integer(2)))", s), 1);
  CHECK_EQ(value("Max(Integer(1), Pow(Symbol('s77'), Integer(2)))", s), 25);
  CHECK_EQ(value("Mod(Mul(Integer(3), Symbol('s77')), Integer(4))", s), 3);
  CHECK_EQ(Expression::parse("Mul(Integer(2), Add(Symbol('s0'), Integer(1)))")->text(), "2*(s0 + 1)");
  CHECK_EQ(Expression::parse("Symbol('s0', integer=True)")->variable(), "s0");
}

TEST_CASE("whole numbers that do not fit 64 bits have no value") {
  constexpr int64_t least = INT64_MIN;
  const std::map<std::string, int64_t> s = {{"n", least}};
  CHECK_EQ(value("n", s), least);
  CHECK_FALSE(value("n // -1", s));
  CHECK_EQ(value("n % -1", s), 0);
  CHECK_FALSE(value("-n", s));
  CHECK_FALSE(value("n - 1", s));
  CHECK_FALSE(value("CeilDiv(n, -1)", s));
  CHECK_EQ(value("CeilDiv(7, 2)", s), 4);
  CHECK_EQ(value("CeilDiv(-7, 2)", s), -3);
  CHECK_EQ(value("(-7) % 3", s), 2);
  CHECK_EQ(value("7 % (-3)", s), -2);
  CHECK_FALSE(Expression::parse("99999999999999999999"));
}

TEST_CASE("guards as Python writes them") {
  const std::map<std::string, int64_t> sizes = {
      {"L['x'].size()[0]", 6}, {"L['d']['n']", -7}, {"L['y'].size()[1]", 3}};
  CHECK_EQ(value("L['x'].size()[0] == (2*L['y'].size()[1])", sizes), 1);
  CHECK_EQ(value("4*L['x'].size()[0]*L['y'].size()[1] >= 73", sizes), 0);
  CHECK_EQ(value("L['d']['n'] // 2 == -4 and L['d']['n'] % 2 == 1", sizes), 1);
  CHECK_EQ(value("not (L['x'].size()[0] != 6 or max(1, 2) < 2)", sizes), 1);
  CHECK_EQ(value("-2**2 + 10 - 3 - 2", sizes), 1);
}

TEST_CASE("what is not understood has no value") {
  CHECK_EQ(value("Symbol('s1')"), std::nullopt);
  CHECK_EQ(value("Sin(Integer(1))"), std::nullopt);
  CHECK_EQ(value("1 // 0"), std::nullopt);
  CHECK_EQ(value("2 ** 100"), std::nullopt);
  for (const char* text :
       {"", "2 +", "(1", "f(1,", "1.5", "Symbol('s", "L['x'", "1 2", "99999999999999999999"}) {
    CHECK_EQ(value(text), std::nullopt);
  }
}

c10::IValue call(const std::string& target, torch::jit::Stack stack) {
  size_t arguments = 0;
  const SymbolFunction function = find_symbol_function(target, arguments);
  REQUIRE_UNARY(function != nullptr);
  REQUIRE_EQ(arguments, stack.size());
  function(stack);
  REQUIRE_EQ(stack.size(), 1);
  return stack[0];
}

TEST_CASE("functions of numbers follow Python") {
  CHECK_EQ(call("_operator.floordiv", {-7, 2}).toInt(), -4);
  CHECK_EQ(call("_operator.floordiv", {7.5, 2}).toDouble(), 3.0);
  CHECK_EQ(call("_operator.mod", {-7, 3}).toInt(), 2);
  CHECK_EQ(call("_operator.mod", {7, -3}).toInt(), -2);
  CHECK_EQ(call("_operator.mod", {-7.5, 2}).toDouble(), 0.5);
  CHECK_EQ(call("_operator.truediv", {7, 2}).toDouble(), 3.5);
  CHECK_EQ(call("_operator.pow", {3, 4}).toInt(), 81);
  CHECK_EQ(call("_operator.pow", {2, -1}).toDouble(), 0.5);
  CHECK_EQ(call("_operator.sub", {2, 5}).toInt(), -3);
  CHECK_EQ(call("_operator.add", {2, 0.5}).toDouble(), 2.5);
  CHECK_EQ(call("_operator.mul", {true, 3}).toInt(), 3);
  CHECK_EQ(call("_operator.and_", {true, false}).toBool(), false);
  CHECK_EQ(call("_operator.or_", {5, 2}).toInt(), 7);
  CHECK_EQ(call("_operator.lshift", {1, 4}).toInt(), 16);
  CHECK_EQ(call("_operator.le", {3, 3}).toBool(), true);
  CHECK_EQ(call("_operator.ne", {3, 3.0}).toBool(), false);
  CHECK_EQ(call("_operator.neg", {3}).toInt(), -3);
  CHECK_EQ(call("math.trunc", {-2.5}).toInt(), -2);
  CHECK_EQ(call("math.floor", {-2.5}).toInt(), -3);
  CHECK_EQ(call("torch.sym_max", {2, 9}).toInt(), 9);
  CHECK_EQ(call("torch.sym_min", {2, 9}).toInt(), 2);
  CHECK_EQ(call("torch.sym_not", {false}).toBool(), true);
  CHECK_EQ(call("torch.sym_float", {4}).toDouble(), 4.0);
  CHECK_EQ(call("torch.sym_sqrt", {16}).toDouble(), 4.0);
  CHECK_EQ(call("torch.sym_ite", {false, 1, 2}).toInt(), 2);
  CHECK_THROWS_AS(call("_operator.mod", {1, 0}), c10::Error);
  size_t arguments = 0;
  CHECK_UNARY(find_symbol_function("_operator.getitem", arguments) == nullptr);
}

}  // namespace
}  // namespace faultwave::detail
