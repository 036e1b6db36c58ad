// SPDX-License-Identifier: Apache-2.0
// Operators that work value by value, of one tensor or of several that are broadcast.
#include <limits>

#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr NamedRule kElements{"elements", elements_rule, Takes::scaled};
constexpr NamedRule kSum{"sum", sum_rule, Takes::scaled};
constexpr NamedRule kScaling{"elements", scaling_rule, Takes::scaled};
constexpr NamedRule kSameValues{"same values", same_values_rule, Takes::scaled};

constexpr const char* kPlain[] = {"abs", "neg", "exp", "expm1", "log", "log1p", "log2", "sqrt", "rsqrt",
                                  "reciprocal", "square", "sin", "cos", "erf", "floor", "ceil", "round",
                                  "pow", "rsub", "nan_to_num",
                                  // activations
                                  "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus",
                                  "sigmoid", "log_sigmoid", "logit", "tanh", "hardswish", "hardsigmoid",
                                  "hardshrink", "softshrink", "threshold", "clamp", "clamp_min", "clamp_max",
                                  // of several tensors
                                  "maximum", "minimum", "where", "masked_fill", "addcmul", "addcdiv", "lerp"};

}  // namespace

std::vector<Operator> element_operators() {
  std::vector<Operator> operators{
      {.name = "aten::relu", .rule = kElements, .clamp = Clamp{0.0, kInfinity}},
      {.name = "aten::relu6", .rule = kElements, .clamp = Clamp{0.0, 6.0}},
      {.name = "aten::hardtanh", .rule = kElements, .clamp = Clamp{"min_val", "max_val"}},

      {.name = "aten::add", .rule = kSum},
      {.name = "aten::sub", .rule = kSum, .subtracts = true},
      {.name = "aten::mul", .rule = kScaling},
      {.name = "aten::div", .rule = kScaling, .divides = true},

      {.name = "aten::contiguous", .rule = kSameValues},
      {.name = "aten::clone", .rule = kSameValues},
      {.name = "aten::alias", .rule = kSameValues},
      {.name = "aten::detach", .rule = kSameValues},
      {.name = "aten::dropout", .rule = kSameValues, .active = "train"},
      {.name = "aten::feature_dropout", .rule = kSameValues, .active = "train"},
      {.name = "aten::alpha_dropout", .rule = kSameValues, .active = "train"},
      {.name = "aten::feature_alpha_dropout", .rule = kSameValues, .active = "train"},
  };
  for (const char* name : kPlain)
    operators.push_back({.name = std::string("aten::") + name, .rule = kElements});
  return operators;
}

}  // namespace faultwave::wave
