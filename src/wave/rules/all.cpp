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
    Entry{"aten::abs", elements_rule},
    Entry{"aten::abs_", elements_rule},
    Entry{"aten::neg", elements_rule},
    Entry{"aten::neg_", elements_rule},
    Entry{"aten::exp", elements_rule},
    Entry{"aten::exp_", elements_rule},
    Entry{"aten::expm1", elements_rule},
    Entry{"aten::log", elements_rule},
    Entry{"aten::log_", elements_rule},
    Entry{"aten::log1p", elements_rule},
    Entry{"aten::log2", elements_rule},
    Entry{"aten::sqrt", elements_rule},
    Entry{"aten::sqrt_", elements_rule},
    Entry{"aten::rsqrt", elements_rule},
    Entry{"aten::rsqrt_", elements_rule},
    Entry{"aten::reciprocal", elements_rule},
    Entry{"aten::reciprocal_", elements_rule},
    Entry{"aten::square", elements_rule},
    Entry{"aten::sin", elements_rule},
    Entry{"aten::cos", elements_rule},
    Entry{"aten::erf", elements_rule},
    Entry{"aten::floor", elements_rule},
    Entry{"aten::ceil", elements_rule},
    Entry{"aten::round", elements_rule},
    Entry{"aten::relu", elements_rule},
    Entry{"aten::relu_", elements_rule},
    Entry{"aten::hardtanh", elements_rule},
    Entry{"aten::hardtanh_", elements_rule},
    Entry{"aten::relu6", elements_rule},
    Entry{"aten::relu6_", elements_rule},
    Entry{"aten::leaky_relu", elements_rule},
    Entry{"aten::leaky_relu_", elements_rule},
    Entry{"aten::elu", elements_rule},
    Entry{"aten::elu_", elements_rule},
    Entry{"aten::selu", elements_rule},
    Entry{"aten::selu_", elements_rule},
    Entry{"aten::celu", elements_rule},
    Entry{"aten::celu_", elements_rule},
    Entry{"aten::gelu", elements_rule},
    Entry{"aten::gelu_", elements_rule},
    Entry{"aten::silu", elements_rule},
    Entry{"aten::silu_", elements_rule},
    Entry{"aten::mish", elements_rule},
    Entry{"aten::mish_", elements_rule},
    Entry{"aten::softplus", elements_rule},
    Entry{"aten::sigmoid", elements_rule},
    Entry{"aten::sigmoid_", elements_rule},
    Entry{"aten::log_sigmoid", elements_rule},
    Entry{"aten::logit", elements_rule},
    Entry{"aten::tanh", elements_rule},
    Entry{"aten::tanh_", elements_rule},
    Entry{"aten::hardswish", elements_rule},
    Entry{"aten::hardswish_", elements_rule},
    Entry{"aten::hardsigmoid", elements_rule},
    Entry{"aten::hardsigmoid_", elements_rule},
    Entry{"aten::hardshrink", elements_rule},
    Entry{"aten::softshrink", elements_rule},
    Entry{"aten::threshold", elements_rule},
    Entry{"aten::threshold_", elements_rule},
    Entry{"aten::clamp", elements_rule},
    Entry{"aten::clamp_", elements_rule},
    Entry{"aten::clamp_min", elements_rule},
    Entry{"aten::clamp_min_", elements_rule},
    Entry{"aten::clamp_max", elements_rule},
    Entry{"aten::clamp_max_", elements_rule},
    Entry{"aten::pow", elements_rule},
    Entry{"aten::pow_", elements_rule},
    Entry{"aten::nan_to_num", elements_rule},
    Entry{"aten::rsub", elements_rule},
    // values of several tensors, place by place
    Entry{"aten::add", elements_rule},
    Entry{"aten::add_", elements_rule},
    Entry{"aten::sub", elements_rule},
    Entry{"aten::sub_", elements_rule},
    Entry{"aten::mul", elements_rule},
    Entry{"aten::mul_", elements_rule},
    Entry{"aten::div", elements_rule},
    Entry{"aten::div_", elements_rule},
    Entry{"aten::maximum", elements_rule},
    Entry{"aten::minimum", elements_rule},
    Entry{"aten::where", elements_rule},
    Entry{"aten::masked_fill", elements_rule},
    Entry{"aten::masked_fill_", elements_rule},
    Entry{"aten::addcmul", elements_rule},
    Entry{"aten::addcmul_", elements_rule},
    Entry{"aten::addcdiv", elements_rule},
    Entry{"aten::lerp", elements_rule},
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
    Entry{"aten::stack", concatenation_rule},
    // copies of values
    Entry{"aten::slice", relocation_rule},
    Entry{"aten::select", relocation_rule},
    Entry{"aten::narrow", relocation_rule},
    Entry{"aten::split", relocation_rule},
    Entry{"aten::split_with_sizes", relocation_rule},
    Entry{"aten::chunk", relocation_rule},
    Entry{"aten::unbind", relocation_rule},
    Entry{"aten::expand", relocation_rule},
    Entry{"aten::expand_as", relocation_rule},
    Entry{"aten::flip", relocation_rule},
    Entry{"aten::roll", relocation_rule},
    Entry{"aten::constant_pad_nd", relocation_rule},
    Entry{"aten::pad", relocation_rule},
    Entry{"aten::upsample_nearest1d", relocation_rule},
    Entry{"aten::upsample_nearest2d", relocation_rule},
    Entry{"aten::upsample_nearest3d", relocation_rule},
    Entry{"aten::channel_shuffle", relocation_rule},
    Entry{"aten::pixel_shuffle", relocation_rule},
    Entry{"aten::repeat", relocation_rule},
    Entry{"aten::index_select", relocation_rule},
    Entry{"aten::index", relocation_rule},
    Entry{"aten::gather", relocation_rule},
    Entry{"aten::embedding", relocation_rule},
    Entry{"aten::pixel_unshuffle", relocation_rule},
    Entry{"aten::movedim", relocation_rule},
    Entry{"aten::swapaxes", relocation_rule},
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

struct Name {
  Rule rule;
  std::string_view name;
};

constexpr std::array kNames{
    Name{elements_rule, "elements"},
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

Rule find_rule(std::string_view op) {
  const auto found =
      std::find_if(kRules.begin(), kRules.end(), [&](const Entry& entry) { return entry.op == op; });
  return found == kRules.end() ? nullptr : found->rule;
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

at::Tensor Call::run(std::vector<c10::IValue> stack) const {
  const auto& schema = op.schema().arguments();
  for (size_t i = 0; i < stack.size(); ++i) {
    if (schema[i].is_out()) stack[i] = at::empty({0}, stack[i].toTensor().options());
  }
  op.callBoxed(&stack);
  return stack.front().toTensor();
}

}  // namespace faultwave::wave
