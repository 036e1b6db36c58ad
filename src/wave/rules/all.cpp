// SPDX-License-Identifier: Apache-2.0
// The list of all rules.
#include <algorithm>
#include <array>

#include "src/wave/rule.h"

namespace faultwave::wave {
namespace {

constexpr std::array kRules{
    // each value on its own
    RuleEntry{"aten::abs", elements_rule, Takes::scaled},
    RuleEntry{"aten::abs_", elements_rule, Takes::scaled},
    RuleEntry{"aten::neg", elements_rule, Takes::scaled},
    RuleEntry{"aten::neg_", elements_rule, Takes::scaled},
    RuleEntry{"aten::exp", elements_rule, Takes::scaled},
    RuleEntry{"aten::exp_", elements_rule, Takes::scaled},
    RuleEntry{"aten::expm1", elements_rule, Takes::scaled},
    RuleEntry{"aten::log", elements_rule, Takes::scaled},
    RuleEntry{"aten::log_", elements_rule, Takes::scaled},
    RuleEntry{"aten::log1p", elements_rule, Takes::scaled},
    RuleEntry{"aten::log2", elements_rule, Takes::scaled},
    RuleEntry{"aten::sqrt", elements_rule, Takes::scaled},
    RuleEntry{"aten::sqrt_", elements_rule, Takes::scaled},
    RuleEntry{"aten::rsqrt", elements_rule, Takes::scaled},
    RuleEntry{"aten::rsqrt_", elements_rule, Takes::scaled},
    RuleEntry{"aten::reciprocal", elements_rule, Takes::scaled},
    RuleEntry{"aten::reciprocal_", elements_rule, Takes::scaled},
    RuleEntry{"aten::square", elements_rule, Takes::scaled},
    RuleEntry{"aten::sin", elements_rule, Takes::scaled},
    RuleEntry{"aten::cos", elements_rule, Takes::scaled},
    RuleEntry{"aten::erf", elements_rule, Takes::scaled},
    RuleEntry{"aten::floor", elements_rule, Takes::scaled},
    RuleEntry{"aten::ceil", elements_rule, Takes::scaled},
    RuleEntry{"aten::round", elements_rule, Takes::scaled},
    RuleEntry{"aten::relu", elements_rule, Takes::scaled},
    RuleEntry{"aten::relu_", elements_rule, Takes::scaled},
    RuleEntry{"aten::hardtanh", elements_rule, Takes::scaled},
    RuleEntry{"aten::hardtanh_", elements_rule, Takes::scaled},
    RuleEntry{"aten::relu6", elements_rule, Takes::scaled},
    RuleEntry{"aten::relu6_", elements_rule, Takes::scaled},
    RuleEntry{"aten::leaky_relu", elements_rule, Takes::scaled},
    RuleEntry{"aten::leaky_relu_", elements_rule, Takes::scaled},
    RuleEntry{"aten::elu", elements_rule, Takes::scaled},
    RuleEntry{"aten::elu_", elements_rule, Takes::scaled},
    RuleEntry{"aten::selu", elements_rule, Takes::scaled},
    RuleEntry{"aten::selu_", elements_rule, Takes::scaled},
    RuleEntry{"aten::celu", elements_rule, Takes::scaled},
    RuleEntry{"aten::celu_", elements_rule, Takes::scaled},
    RuleEntry{"aten::gelu", elements_rule, Takes::scaled},
    RuleEntry{"aten::gelu_", elements_rule, Takes::scaled},
    RuleEntry{"aten::silu", elements_rule, Takes::scaled},
    RuleEntry{"aten::silu_", elements_rule, Takes::scaled},
    RuleEntry{"aten::mish", elements_rule, Takes::scaled},
    RuleEntry{"aten::mish_", elements_rule, Takes::scaled},
    RuleEntry{"aten::softplus", elements_rule, Takes::scaled},
    RuleEntry{"aten::sigmoid", elements_rule, Takes::scaled},
    RuleEntry{"aten::sigmoid_", elements_rule, Takes::scaled},
    RuleEntry{"aten::log_sigmoid", elements_rule, Takes::scaled},
    RuleEntry{"aten::logit", elements_rule, Takes::scaled},
    RuleEntry{"aten::tanh", elements_rule, Takes::scaled},
    RuleEntry{"aten::tanh_", elements_rule, Takes::scaled},
    RuleEntry{"aten::hardswish", elements_rule, Takes::scaled},
    RuleEntry{"aten::hardswish_", elements_rule, Takes::scaled},
    RuleEntry{"aten::hardsigmoid", elements_rule, Takes::scaled},
    RuleEntry{"aten::hardsigmoid_", elements_rule, Takes::scaled},
    RuleEntry{"aten::hardshrink", elements_rule, Takes::scaled},
    RuleEntry{"aten::softshrink", elements_rule, Takes::scaled},
    RuleEntry{"aten::threshold", elements_rule, Takes::scaled},
    RuleEntry{"aten::threshold_", elements_rule, Takes::scaled},
    RuleEntry{"aten::clamp", elements_rule, Takes::scaled},
    RuleEntry{"aten::clamp_", elements_rule, Takes::scaled},
    RuleEntry{"aten::clamp_min", elements_rule, Takes::scaled},
    RuleEntry{"aten::clamp_min_", elements_rule, Takes::scaled},
    RuleEntry{"aten::clamp_max", elements_rule, Takes::scaled},
    RuleEntry{"aten::clamp_max_", elements_rule, Takes::scaled},
    RuleEntry{"aten::pow", elements_rule, Takes::scaled},
    RuleEntry{"aten::pow_", elements_rule, Takes::scaled},
    RuleEntry{"aten::nan_to_num", elements_rule, Takes::scaled},
    RuleEntry{"aten::rsub", elements_rule, Takes::scaled},
    // values of several tensors, place by place
    RuleEntry{"aten::add", sum_rule, Takes::scaled},
    RuleEntry{"aten::add_", sum_rule, Takes::scaled},
    RuleEntry{"aten::sub", sum_rule, Takes::scaled},
    RuleEntry{"aten::sub_", sum_rule, Takes::scaled},
    RuleEntry{"aten::mul", scaling_rule, Takes::scaled},
    RuleEntry{"aten::mul_", scaling_rule, Takes::scaled},
    RuleEntry{"aten::div", scaling_rule, Takes::scaled},
    RuleEntry{"aten::div_", scaling_rule, Takes::scaled},
    RuleEntry{"aten::maximum", elements_rule},
    RuleEntry{"aten::minimum", elements_rule},
    RuleEntry{"aten::where", elements_rule},
    RuleEntry{"aten::masked_fill", elements_rule},
    RuleEntry{"aten::masked_fill_", elements_rule},
    RuleEntry{"aten::addcmul", elements_rule},
    RuleEntry{"aten::addcmul_", elements_rule},
    RuleEntry{"aten::addcdiv", elements_rule},
    RuleEntry{"aten::lerp", elements_rule},
    // the same values
    RuleEntry{"aten::dropout", same_values_rule, Takes::scaled},
    RuleEntry{"aten::dropout_", same_values_rule, Takes::scaled},
    RuleEntry{"aten::feature_dropout", same_values_rule, Takes::scaled},
    RuleEntry{"aten::contiguous", same_values_rule, Takes::scaled},
    RuleEntry{"aten::clone", same_values_rule, Takes::scaled},
    RuleEntry{"aten::alias", same_values_rule, Takes::scaled},
    RuleEntry{"aten::detach", same_values_rule, Takes::scaled},
    // the same values in the same order
    RuleEntry{"aten::view", reshape_rule, Takes::changes},
    RuleEntry{"aten::reshape", reshape_rule, Takes::changes},
    RuleEntry{"aten::_unsafe_view", reshape_rule, Takes::changes},
    RuleEntry{"aten::flatten", reshape_rule, Takes::changes},
    RuleEntry{"aten::unflatten", reshape_rule, Takes::changes},
    RuleEntry{"aten::squeeze", reshape_rule, Takes::changes},
    RuleEntry{"aten::unsqueeze", reshape_rule, Takes::changes},
    // the same values elsewhere
    RuleEntry{"aten::permute", permute_rule, Takes::scaled},
    RuleEntry{"aten::transpose", permute_rule, Takes::scaled},
    RuleEntry{"aten::t", permute_rule, Takes::scaled},
    RuleEntry{"aten::cat", concatenation_rule, Takes::changes},
    RuleEntry{"aten::concat", concatenation_rule, Takes::changes},
    RuleEntry{"aten::stack", concatenation_rule, Takes::changes},
    // copies of values
    RuleEntry{"aten::slice", relocation_rule, Takes::changes},
    RuleEntry{"aten::select", relocation_rule, Takes::changes},
    RuleEntry{"aten::narrow", relocation_rule, Takes::changes},
    RuleEntry{"aten::split", relocation_rule, Takes::changes},
    RuleEntry{"aten::split_with_sizes", relocation_rule, Takes::changes},
    RuleEntry{"aten::chunk", relocation_rule, Takes::changes},
    RuleEntry{"aten::unbind", relocation_rule, Takes::changes},
    RuleEntry{"aten::expand", relocation_rule, Takes::changes},
    RuleEntry{"aten::expand_as", relocation_rule, Takes::changes},
    RuleEntry{"aten::flip", relocation_rule, Takes::changes},
    RuleEntry{"aten::roll", relocation_rule, Takes::changes},
    RuleEntry{"aten::constant_pad_nd", relocation_rule, Takes::changes},
    RuleEntry{"aten::pad", relocation_rule, Takes::changes},
    RuleEntry{"aten::upsample_nearest1d", relocation_rule, Takes::changes},
    RuleEntry{"aten::upsample_nearest2d", relocation_rule, Takes::changes},
    RuleEntry{"aten::upsample_nearest3d", relocation_rule, Takes::changes},
    RuleEntry{"aten::channel_shuffle", relocation_rule, Takes::changes},
    RuleEntry{"aten::pixel_shuffle", relocation_rule, Takes::changes},
    RuleEntry{"aten::repeat", relocation_rule, Takes::changes},
    RuleEntry{"aten::index_select", relocation_rule, Takes::changes},
    RuleEntry{"aten::index", relocation_rule, Takes::changes},
    RuleEntry{"aten::gather", relocation_rule, Takes::changes},
    RuleEntry{"aten::embedding", relocation_rule, Takes::changes},
    RuleEntry{"aten::pixel_unshuffle", relocation_rule, Takes::changes},
    RuleEntry{"aten::movedim", relocation_rule, Takes::changes},
    RuleEntry{"aten::swapaxes", relocation_rule, Takes::changes},
    // rows as a whole
    RuleEntry{"aten::layer_norm", layer_norm_rule, Takes::scaled},
    RuleEntry{"aten::softmax", softmax_rule, Takes::scaled},
    // families of their own
    RuleEntry{"aten::batch_norm", batch_norm_rule, Takes::scaled},
    RuleEntry{"aten::conv2d", convolution_rule, Takes::scaled},
    RuleEntry{"aten::linear", linear_rule, Takes::scaled},
    RuleEntry{"aten::addmm", addmm_rule, Takes::scaled},
    RuleEntry{"aten::mm", matmul_rule, Takes::scaled},
    RuleEntry{"aten::matmul", matmul_rule, Takes::scaled},
    RuleEntry{"aten::max_pool2d", max_pool_rule, Takes::changes},
    RuleEntry{"aten::adaptive_avg_pool2d", average_rule, Takes::changes},
};

struct Name {
  Rule rule;
  std::string_view name;
};

constexpr std::array kNames{
    Name{elements_rule, "elements"},
    Name{sum_rule, "sum"},
    Name{scaling_rule, "elements"},
    Name{same_values_rule, "same values"},
    Name{reshape_rule, "reshape"},
    Name{permute_rule, "permute"},
    Name{concatenation_rule, "concatenation"},
    Name{relocation_rule, "relocation"},
    Name{layer_norm_rule, "layer norm"},
    Name{softmax_rule, "softmax"},
    Name{batch_norm_rule, "batch norm"},
    Name{convolution_rule, "convolution"},
    Name{linear_rule, "linear"},
    Name{addmm_rule, "linear"},
    Name{matmul_rule, "linear"},
    Name{max_pool_rule, "max pool"},
    Name{average_rule, "average"},
};

}  // namespace

const RuleEntry* find_rule(std::string_view op) {
  const auto found =
      std::find_if(kRules.begin(), kRules.end(), [&](const RuleEntry& entry) { return entry.op == op; });
  return found == kRules.end() ? nullptr : &*found;
}

std::string_view name_of(Rule rule) {
  const auto found =
      std::find_if(kNames.begin(), kNames.end(), [&](const Name& name) { return name.rule == rule; });
  return found == kNames.end() ? "a rule of its own" : found->name;
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

void Call::renew_outs(std::vector<c10::IValue>& stack) const {
  const auto& schema = op.schema().arguments();
  for (size_t i = 0; i < stack.size(); ++i) {
    if (schema[i].is_out() && stack[i].isTensor())
      stack[i] = at::empty({0}, stack[i].toTensor().options());
  }
}

at::Tensor Call::run(std::vector<c10::IValue> stack) const {
  renew_outs(stack);
  op.callBoxed(&stack);
  return stack.front().toTensor();
}

}  // namespace faultwave::wave
