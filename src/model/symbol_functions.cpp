// SPDX-License-Identifier: Apache-2.0
#include "src/model/symbol_functions.h"

#include <ATen/ScalarOps.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace faultwave::detail {
namespace {

using c10::IValue;
using torch::jit::Stack;

bool is_float(const IValue& value) {
  return value.isDouble();
}

int64_t as_int(const IValue& value) {
  return value.isBool() ? static_cast<int64_t>(value.toBool()) : value.toInt();
}

double as_float(const IValue& value) {
  return value.isDouble() ? value.toDouble() : static_cast<double>(as_int(value));
}

/// Python's whole numbers have no end.
void check_fits(bool fits) {
  TORCH_CHECK(fits, "a size of the exported program does not fit 64 bits");
}

int64_t sum(int64_t a, int64_t b) {
  int64_t result = 0;
  check_fits(!__builtin_add_overflow(a, b, &result));
  return result;
}

int64_t difference(int64_t a, int64_t b) {
  int64_t result = 0;
  check_fits(!__builtin_sub_overflow(a, b, &result));
  return result;
}

int64_t product(int64_t a, int64_t b) {
  int64_t result = 0;
  check_fits(!__builtin_mul_overflow(a, b, &result));
  return result;
}

int64_t whole(double value) {
  constexpr double limit = 9223372036854775808.0;  // 2^63
  check_fits(value >= -limit && value < limit);
  return static_cast<int64_t>(value);
}

IValue add(const IValue& a, const IValue& b) {
  if (is_float(a) || is_float(b)) return as_float(a) + as_float(b);
  return sum(as_int(a), as_int(b));
}

IValue subtract(const IValue& a, const IValue& b) {
  if (is_float(a) || is_float(b)) return as_float(a) - as_float(b);
  return difference(as_int(a), as_int(b));
}

IValue multiply(const IValue& a, const IValue& b) {
  if (is_float(a) || is_float(b)) return as_float(a) * as_float(b);
  return product(as_int(a), as_int(b));
}

IValue true_divide(const IValue& a, const IValue& b) {
  TORCH_CHECK(as_float(b) != 0, "division by zero in the sizes of an exported program");
  return as_float(a) / as_float(b);
}

IValue floor_divide(const IValue& a, const IValue& b) {
  TORCH_CHECK(as_float(b) != 0, "division by zero in the sizes of an exported program");
  if (is_float(a) || is_float(b)) return std::floor(as_float(a) / as_float(b));
  if (as_int(b) == -1) return difference(0, as_int(a));  // the processor traps for the least number
  const int64_t quotient = as_int(a) / as_int(b);
  const bool round_down = as_int(a) % as_int(b) != 0 && (as_int(a) < 0) != (as_int(b) < 0);
  return round_down ? quotient - 1 : quotient;
}

IValue modulo(const IValue& a, const IValue& b) {
  TORCH_CHECK(as_float(b) != 0, "division by zero in the sizes of an exported program");
  if (is_float(a) || is_float(b)) {
    const double remainder = std::fmod(as_float(a), as_float(b));
    return remainder != 0 && (remainder < 0) != (as_float(b) < 0) ? remainder + as_float(b) : remainder;
  }
  if (as_int(b) == -1) return 0;
  const int64_t remainder = as_int(a) % as_int(b);
  return remainder != 0 && (remainder < 0) != (as_int(b) < 0) ? remainder + as_int(b) : remainder;
}

IValue power(const IValue& a, const IValue& b) {
  if (is_float(a) || is_float(b) || as_int(b) < 0) return std::pow(as_float(a), as_float(b));
  const int64_t base = as_int(a);
  if (base == 0 || base == 1) return as_int(b) == 0 ? 1 : base;
  if (base == -1) return as_int(b) % 2 == 0 ? 1 : -1;
  int64_t result = 1;
  for (int64_t i = 0; i < as_int(b); ++i)  // ends, since the result soon does not fit
    result = product(result, base);
  return result;
}

IValue bit_and(const IValue& a, const IValue& b) {
  if (a.isBool() && b.isBool()) return a.toBool() && b.toBool();
  return as_int(a) & as_int(b);
}

IValue bit_or(const IValue& a, const IValue& b) {
  if (a.isBool() && b.isBool()) return a.toBool() || b.toBool();
  return as_int(a) | as_int(b);
}

IValue shift_left(const IValue& a, const IValue& b) {
  TORCH_CHECK(as_int(b) >= 0, "negative shift count in the sizes of an exported program");
  check_fits(as_int(b) < 63);
  return product(as_int(a), int64_t{1} << as_int(b));
}
IValue shift_right(const IValue& a, const IValue& b) {
  TORCH_CHECK(as_int(b) >= 0, "negative shift count in the sizes of an exported program");
  return as_int(a) >> std::min<int64_t>(as_int(b), 63);
}

/// Compares as ints where both are, since a double does not hold every int.
template <typename Compare>
IValue compare(const IValue& a, const IValue& b, Compare holds) {
  if (is_float(a) || is_float(b)) return holds(as_float(a), as_float(b));
  return holds(as_int(a), as_int(b));
}

IValue equal(const IValue& a, const IValue& b) {
  return compare(a, b, std::equal_to<>());
}
IValue not_equal(const IValue& a, const IValue& b) {
  return compare(a, b, std::not_equal_to<>());
}
IValue less(const IValue& a, const IValue& b) {
  return compare(a, b, std::less<>());
}
IValue less_equal(const IValue& a, const IValue& b) {
  return compare(a, b, std::less_equal<>());
}
IValue greater(const IValue& a, const IValue& b) {
  return compare(a, b, std::greater<>());
}
IValue greater_equal(const IValue& a, const IValue& b) {
  return compare(a, b, std::greater_equal<>());
}
IValue larger_of(const IValue& a, const IValue& b) {
  return greater(a, b).toBool() ? a : b;
}
IValue smaller_of(const IValue& a, const IValue& b) {
  return less(a, b).toBool() ? a : b;
}

IValue negate(const IValue& a) {
  if (is_float(a)) return -a.toDouble();
  return difference(0, as_int(a));
}

IValue plus(const IValue& a) {
  if (is_float(a)) return a;
  return as_int(a);
}

IValue truncate(const IValue& a) {
  return is_float(a) ? whole(std::trunc(a.toDouble())) : as_int(a);
}
IValue round_up(const IValue& a) {
  return is_float(a) ? whole(std::ceil(a.toDouble())) : as_int(a);
}
IValue round_down(const IValue& a) {
  return is_float(a) ? whole(std::floor(a.toDouble())) : as_int(a);
}
IValue to_float(const IValue& a) {
  return as_float(a);
}
IValue square_root(const IValue& a) {
  return std::sqrt(as_float(a));
}
IValue logical_not(const IValue& a) {
  return as_float(a) == 0;
}

template <IValue (*function)(const IValue&)>
void on_one(Stack& stack) {
  stack.back() = function(stack.back());
}

template <IValue (*function)(const IValue&, const IValue&)>
void on_two(Stack& stack) {
  const IValue right = std::move(stack.back());
  stack.pop_back();
  stack.back() = function(stack.back(), right);
}

void choose(Stack& stack) {
  const size_t first = stack.size() - 3;
  IValue chosen = stack[first].toBool() ? stack[first + 1] : stack[first + 2];
  stack.resize(first);
  stack.push_back(std::move(chosen));
}

struct Entry {
  SymbolFunction function;
  size_t arguments;
};

const std::map<std::string, Entry>& table() {
  static const std::map<std::string, Entry> functions = {
      {"_operator.add", {on_two<add>, 2}},
      {"_operator.sub", {on_two<subtract>, 2}},
      {"_operator.mul", {on_two<multiply>, 2}},
      {"_operator.truediv", {on_two<true_divide>, 2}},
      {"_operator.floordiv", {on_two<floor_divide>, 2}},
      {"_operator.mod", {on_two<modulo>, 2}},
      {"_operator.pow", {on_two<power>, 2}},
      {"_operator.and_", {on_two<bit_and>, 2}},
      {"_operator.or_", {on_two<bit_or>, 2}},
      {"_operator.lshift", {on_two<shift_left>, 2}},
      {"_operator.rshift", {on_two<shift_right>, 2}},
      {"_operator.eq", {on_two<equal>, 2}},
      {"_operator.ne", {on_two<not_equal>, 2}},
      {"_operator.lt", {on_two<less>, 2}},
      {"_operator.le", {on_two<less_equal>, 2}},
      {"_operator.gt", {on_two<greater>, 2}},
      {"_operator.ge", {on_two<greater_equal>, 2}},
      {"_operator.neg", {on_one<negate>, 1}},
      {"_operator.pos", {on_one<plus>, 1}},
      {"math.trunc", {on_one<truncate>, 1}},
      {"math.ceil", {on_one<round_up>, 1}},
      {"math.floor", {on_one<round_down>, 1}},
      {"torch.sym_not", {on_one<logical_not>, 1}},
      {"torch.sym_int", {on_one<truncate>, 1}},
      {"torch.sym_float", {on_one<to_float>, 1}},
      {"torch.sym_sqrt", {on_one<square_root>, 1}},
      {"torch._sym_sqrt", {on_one<square_root>, 1}},
      {"torch.sym_max", {on_two<larger_of>, 2}},
      {"torch.sym_min", {on_two<smaller_of>, 2}},
      {"torch.sym_ite", {choose, 3}},
  };
  return functions;
}

}  // namespace

SymbolFunction find_symbol_function(const std::string& target, size_t& arguments) {
  const auto found = table().find(target);
  if (found == table().end()) return nullptr;
  arguments = found->second.arguments;
  return found->second.function;
}

at::Tensor number_as_tensor(const IValue& number) {
  at::Tensor tensor = at::scalar_to_tensor(number.toScalar());
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

}  // namespace faultwave::detail
