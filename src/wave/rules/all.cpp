// SPDX-License-Identifier: Apache-2.0
// The list of all rules.
#include <algorithm>
#include <array>

#include "src/wave/rule.h"

namespace faultwave::wave {
namespace {

struct Entry {
  std::string_view op;
  Rule rule;
};

constexpr std::array kRules{
    // each value on its own
    Entry{"aten::relu", element_rule},
    Entry{"aten::relu_", element_rule},
    Entry{"aten::hardtanh", element_rule},
    Entry{"aten::hardtanh_", element_rule},
    Entry{"aten::relu6", element_rule},
    Entry{"aten::relu6_", element_rule},
    Entry{"aten::leaky_relu", element_rule},
    Entry{"aten::leaky_relu_", element_rule},
    Entry{"aten::elu", element_rule},
    Entry{"aten::gelu", element_rule},
    Entry{"aten::silu", element_rule},
    Entry{"aten::silu_", element_rule},
    Entry{"aten::sigmoid", element_rule},
    Entry{"aten::sigmoid_", element_rule},
    Entry{"aten::tanh", element_rule},
    Entry{"aten::hardswish", element_rule},
    Entry{"aten::hardswish_", element_rule},
    Entry{"aten::hardsigmoid", element_rule},
    Entry{"aten::hardsigmoid_", element_rule},
    Entry{"aten::clamp", element_rule},
    // two tensors, value by value
    Entry{"aten::add", binary_rule},
    Entry{"aten::add_", binary_rule},
    Entry{"aten::sub", binary_rule},
    Entry{"aten::mul", binary_rule},
    Entry{"aten::mul_", binary_rule},
    Entry{"aten::div", binary_rule},
    // the same values
    Entry{"aten::dropout", same_values_rule},
    Entry{"aten::dropout_", same_values_rule},
    Entry{"aten::feature_dropout", same_values_rule},
    Entry{"aten::contiguous", same_values_rule},
    Entry{"aten::clone", same_values_rule},
    Entry{"aten::alias", same_values_rule},
    Entry{"aten::detach", same_values_rule},
    // the same values in the same order
    Entry{"aten::view", reshape_rule},
    Entry{"aten::reshape", reshape_rule},
    Entry{"aten::_unsafe_view", reshape_rule},
    Entry{"aten::flatten", reshape_rule},
    Entry{"aten::unflatten", reshape_rule},
    Entry{"aten::squeeze", reshape_rule},
    Entry{"aten::unsqueeze", reshape_rule},
    // the same values elsewhere
    Entry{"aten::permute", permute_rule},
    Entry{"aten::transpose", permute_rule},
    Entry{"aten::t", permute_rule},
    Entry{"aten::cat", concatenation_rule},
    Entry{"aten::concat", concatenation_rule},
    // rows as a whole
    Entry{"aten::layer_norm", layer_norm_rule},
    Entry{"aten::softmax", softmax_rule},
    // families of their own
    Entry{"aten::batch_norm", batch_norm_rule},
    Entry{"aten::conv2d", convolution_rule},
    Entry{"aten::linear", linear_rule},
    Entry{"aten::addmm", addmm_rule},
    Entry{"aten::mm", matmul_rule},
    Entry{"aten::matmul", matmul_rule},
    Entry{"aten::max_pool2d", max_pool_rule},
    Entry{"aten::adaptive_avg_pool2d", average_rule},
};

}  // namespace

Rule find_rule(std::string_view op) {
  const auto found =
      std::find_if(kRules.begin(), kRules.end(), [&](const Entry& entry) { return entry.op == op; });
  return found == kRules.end() ? nullptr : found->rule;
}

const Shadow* Call::shadow_of(int position) const {
  for (const ShadowedArgument& argument : shadowed) {
    if (argument.place == detail::TensorPlace{position, -1}) return &argument.shadow;
  }
  return nullptr;
}

bool Call::is_only_shadowed(int position) const {
  return shadowed.size() == 1 && shadow_of(position) != nullptr;
}

}  // namespace faultwave::wave
