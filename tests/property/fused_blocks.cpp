// SPDX-License-Identifier: Apache-2.0
// Operators that stand for whole layers of attention, and modules of TorchScript, which call them too.
#include <torch/csrc/jit/api/module.h>

#include <cmath>
#include <memory>
#include <optional>

#include "tests/property/blocks.h"

namespace faultwave::test {
namespace {

using Tensor = at::Tensor;

/// Layers and masks of one fused operator over tokens [batch, tokens, features].
struct Attention {
  Tensor in, in_bias, out, out_bias;
  int64_t features = 0;
  int64_t heads = 0;
};

Attention draw_attention(NetworkBuilder& b, const std::string& name, int64_t features) {
  const double sigma = 1 / std::sqrt(static_cast<double>(features));
  return {b.weight(name + ".in_proj_weight", {3 * features, features}, sigma),
          b.uniform(name + ".in_proj_bias", {3 * features}, -0.3, 0.3),
          b.weight(name + ".out_proj.weight", {features, features}, sigma),
          b.uniform(name + ".out_proj.bias", {features}, -0.3, 0.3),
          features,
          b.divisor(features)};
}

/// Which mask an operator gets, made from what it reads.
struct Mask {
  std::string text;
  std::function<std::optional<Tensor>(const Tensor& x)> of;
  std::optional<int64_t> type;
};

Mask draw_mask(NetworkBuilder& b, int64_t tokens) {
  switch (b.between(0, 3)) {
    case 0: {
      const Tensor ahead = at::ones({tokens, tokens}).triu(1) > 0;
      return {", causal", [=](const Tensor&) { return std::optional(ahead); }, 0};
    }
    case 1: {
      // Padding as the values tell it; the first token stays, so that none attends to nothing.
      const Tensor others = at::arange(tokens) > 0;
      return {", padded where feature 0 is above 0.7",
              [=](const Tensor& x) { return std::optional((x.select(2, 0) > 0.7).logical_and(others)); }, 1};
    }
    default:
      return {"", [](const Tensor&) { return std::optional<Tensor>(); }, std::nullopt};
  }
}

struct Ones {
  Tensor scale, shift;
};
Ones draw_norm(NetworkBuilder& b, const std::string& name, int64_t features) {
  return {b.uniform(name + ".weight", {features}, 0.5, 1.5),
          b.uniform(name + ".bias", {features}, -0.3, 0.3)};
}

}  // namespace

int fused_layer(NetworkBuilder& b, int x) {
  const int64_t features = b[x].size(2);
  const int64_t hidden = b.between(3, 12);
  const std::string name = b.layer("encoder");
  const Attention a = draw_attention(b, name + ".self_attn", features);
  const Ones norm1 = draw_norm(b, name + ".norm1", features);
  const Ones norm2 = draw_norm(b, name + ".norm2", features);
  const Tensor first = b.weight(name + ".linear1.weight", {hidden, features}, 0.5);
  const Tensor first_bias = b.uniform(name + ".linear1.bias", {hidden}, -0.3, 0.3);
  const Tensor second = b.weight(name + ".linear2.weight", {features, hidden}, 0.5);
  const Tensor second_bias = b.uniform(name + ".linear2.bias", {features}, -0.3, 0.3);
  const Mask mask = draw_mask(b, b[x].size(1));
  const bool gelu = b.chance(50);
  const bool norm_first = b.chance(50);
  const std::string text = c10::str("fused encoder layer ", name, ", ", a.heads, " heads", mask.text,
                                    gelu ? ", gelu" : "", norm_first ? ", norm first" : "");
  return b.add(text, x, [=](const Tensor& in) {
    return at::_transformer_encoder_layer_fwd(in, a.features, a.heads, a.in, a.in_bias, a.out, a.out_bias,
                                              gelu, norm_first, 1e-3, norm1.scale, norm1.shift, norm2.scale,
                                              norm2.shift, first, first_bias, second, second_bias,
                                              mask.of(in), mask.type);
  });
}

int fused_attention(NetworkBuilder& b, int x) {
  const std::string name = b.layer("attention");
  const Attention a = draw_attention(b, name, b[x].size(2));
  const Mask mask = draw_mask(b, b[x].size(1));
  const bool gives_weights = b.chance(40);
  const bool is_cross = b.chance(40);
  std::vector<int> reads{x};
  if (is_cross) reads.push_back(linear(b, x, a.features));
  const std::string text = c10::str("fused attention ", name, ", ", a.heads, " heads", mask.text,
                                    is_cross ? ", to other tokens" : "");
  const std::vector<int> made = b.add(text, reads, [=](const std::vector<Tensor>& read) {
    const auto [mixed, weights] = at::_native_multi_head_attention(
        read[0], read.back(), read.back(), a.features, a.heads, a.in, a.in_bias, a.out, a.out_bias,
        mask.of(read[0]), gives_weights, /*average_attn_weights=*/true, mask.type);
    return gives_weights ? std::vector<Tensor>{mixed, weights} : std::vector<Tensor>{mixed};
  });
  if (!gives_weights) return made[0];
  return b.add("bmm of weights and tokens", made[1], made[0],
               [](const Tensor& weights, const Tensor& tokens) { return at::bmm(weights, tokens); });
}

int scripted_block(NetworkBuilder& b, int x) {
  // Values decide on numbers, not on which operators run: a fault in one that did not would hit nothing.
  static const std::vector<std::string> sources{
      R"(
def forward(self, x):
    y = torch.linear(x, self.weight, self.bias)
    for i in range(3):
        y = torch.tanh(y) + x
    return y
)",
      R"(
def forward(self, x):
    y = torch.linear(x, self.weight, self.bias)
    factor = 1.5
    if bool(torch.sum(y) > 0.):
        factor = 0.5
    return torch.add(torch.tanh(y), x, alpha=factor)
)",
      R"(
def forward(self, x):
    y = torch.linear(x, self.weight, self.bias)
    halves = torch.chunk(y, 2, -1)
    halves[0].mul_(halves[0])
    return torch.cat([halves[-1], x, y], -1)
)",
      R"(
def inner(self, x):
    return torch.linear(x, self.weight, self.bias)
def forward(self, x):
    y = self.inner(x)
    return torch.layer_norm(self.inner(y) + y, [y.size(-1)], None, self.bias, 0.001)
)"};
  const int64_t features = b[x].size(-1);
  const std::string name = b.layer("script");
  const auto module = std::make_shared<torch::jit::Module>(name);
  module->register_parameter(
      "weight",
      b.weight(name + ".weight", {features, features}, 1 / std::sqrt(static_cast<double>(features))), false);
  module->register_parameter("bias", b.uniform(name + ".bias", {features}, -0.3, 0.3), false);
  const auto source = static_cast<size_t>(b.between(0, static_cast<int64_t>(sources.size()) - 1));
  module->define(sources[source]);
  // As a network from a file runs; the other executor changes its ways after a few runs.
  for (const torch::jit::Method& method : module->get_methods()) {
    torch::jit::toGraphFunction(method.function())
        ._set_initial_executor_execution_mode(torch::jit::ExecutorExecutionMode::SIMPLE);
  }
  return b.add("scripted " + name + sources[source], x,
               [=](const Tensor& in) { return module->forward({in}).toTensor(); });
}

}  // namespace faultwave::test
