// SPDX-License-Identifier: Apache-2.0
// Operators over values of any shape: activations, arithmetic, norms and products along the last axis.
#include <cmath>
#include <utility>

#include "tests/property/blocks.h"

namespace faultwave::test {
namespace {

using Named = std::pair<const char*, NetworkBuilder::Unary>;
using Tensor = at::Tensor;

const std::vector<Named>& activations() {
  static const std::vector<Named> list{
      {"relu", [](const Tensor& x) { return at::relu(x); }},
      {"relu", [](const Tensor& x) { return at::relu(x); }},
      {"relu6", [](const Tensor& x) { return at::hardtanh(x, 0, 6); }},
      {"sigmoid", [](const Tensor& x) { return at::sigmoid(x); }},
      {"tanh", [](const Tensor& x) { return at::tanh(x); }},
      {"silu", [](const Tensor& x) { return at::silu(x); }},
      // oneDNN's, which takes contiguous values only, makes NaN of Inf; libtorch's own does not. So a value
      // that lies in another order would be another one.
      {"gelu", [](const Tensor& x) { return at::gelu(x.contiguous()); }},
      {"gelu by tanh", [](const Tensor& x) { return at::gelu(x, "tanh"); }},
      {"hardswish", [](const Tensor& x) { return at::hardswish(x); }},
      {"hardsigmoid", [](const Tensor& x) { return at::hardsigmoid(x); }},
      {"leaky_relu", [](const Tensor& x) { return at::leaky_relu(x, 0.1); }},
      {"elu", [](const Tensor& x) { return at::elu(x); }},
      {"mish", [](const Tensor& x) { return at::mish(x); }},
      {"softplus", [](const Tensor& x) { return at::softplus(x); }},
      {"log_sigmoid", [](const Tensor& x) { return at::log_sigmoid(x); }},
      {"clamp", [](const Tensor& x) { return at::clamp(x, -1.0, 1.5); }},
      {"softshrink", [](const Tensor& x) { return at::softshrink(x); }},
      {"threshold", [](const Tensor& x) { return at::threshold(x, 0.1, -0.2); }},
      {"x * sigmoid(x)", [](const Tensor& x) { return x * at::sigmoid(x); }},
      {"where(x > 0, x, 0.1 x)", [](const Tensor& x) { return at::where(x > 0, x, x * 0.1); }},
  };
  return list;
}

const std::vector<Named>& activations_in_place() {
  static const std::vector<Named> list{
      {"relu_", [](Tensor x) { return at::relu_(x); }},
      {"relu_", [](Tensor x) { return at::relu_(x); }},
      {"relu6_", [](Tensor x) { return at::hardtanh_(x, 0, 6); }},
      {"silu_", [](Tensor x) { return at::silu_(x); }},
      {"hardswish_", [](Tensor x) { return at::hardswish_(x); }},
      {"leaky_relu_", [](Tensor x) { return at::leaky_relu_(x, 0.1); }},
      {"elu_", [](Tensor x) { return at::elu_(x); }},
      {"sigmoid_", [](Tensor x) { return at::sigmoid_(x); }},
      {"tanh_", [](Tensor x) { return at::tanh_(x); }},
      {"clamp_", [](Tensor x) { return at::clamp_(x, -1.0, 1.5); }},
      {"mul_, add_ and relu_", [](Tensor x) { return x.mul_(0.5).add_(0.25).relu_(); }},
      {"dropout_ in eval mode", [](Tensor x) { return at::dropout_(x, 0.5, false); }},
  };
  return list;
}

}  // namespace

int activation(NetworkBuilder& b, int x) {
  if (b.chance(5)) {
    const std::string name = b.layer("prelu");
    const at::Tensor slope = b.uniform(name + ".weight", {b.chance(50) ? 1 : b[x].size(1)}, 0.1, 0.4);
    return b.add("prelu " + name, x, [=](const at::Tensor& in) { return at::prelu(in, slope); });
  }
  const Named& drawn =
      activations()[static_cast<size_t>(b.between(0, static_cast<int64_t>(activations().size()) - 1))];
  return b.add(drawn.first, x, drawn.second);
}

int activation_in_place(NetworkBuilder& b, int x) {
  const auto last = static_cast<int64_t>(activations_in_place().size()) - 1;
  const Named& drawn = activations_in_place()[static_cast<size_t>(b.between(0, last))];
  return b.add(drawn.first, x, drawn.second);
}

int arithmetic(NetworkBuilder& b, int x) {
  const int64_t last_axis = b[x].dim() - 1;
  const std::vector<Named> list{
      {"x * 0.5 + 1", [](const Tensor& in) { return in * 0.5 + 1; }},
      {"x - mean over the last axis", [=](const Tensor& in) { return in - in.mean(last_axis, true); }},
      {"x / (1 + largest magnitude of the last axis)",
       [=](const Tensor& in) { return in / (1 + in.abs().amax(last_axis, true)); }},
      {"softmax of axis 1", [](const Tensor& in) { return at::softmax(in, 1); }},
      {"log_softmax of the last axis", [](const Tensor& in) { return at::log_softmax(in, -1); }},
      {"x / norm over axis 1", [](const Tensor& in) { return in / (in.norm(2, 1, true) + 0.5); }},
      {"maximum of x and its flip", [=](const Tensor& in) { return at::maximum(in, in.flip({last_axis})); }},
      {"lerp", [=](const Tensor& in) { return at::lerp(in, in.roll(1, last_axis), 0.3); }},
      {"addcmul", [](const Tensor& in) { return at::addcmul(in, in, in, 0.1); }},
      {"sqrt(x * x + 0.1)", [](const Tensor& in) { return (in * in + 0.1).sqrt(); }},
      {"rsqrt(mean of squares)",
       [=](const Tensor& in) { return in * at::rsqrt(in.square().mean(last_axis, true) + 1e-2); }},
      {"cumsum over the last axis", [=](const Tensor& in) { return in.cumsum(last_axis) * 0.3; }},
      {"masked_fill with a constant mask",
       [=](const Tensor& in) {
         const Tensor mask = at::arange(in.size(last_axis)).remainder(3) == 0;
         return in.masked_fill(mask, 0.25);
       }},
      {"exp(clamp(x))", [](const Tensor& in) { return in.clamp_max(1.5).exp(); }},
      {"dropout in eval mode", [](const Tensor& in) { return at::dropout(in, 0.3, false); }},
  };
  const Named drawn = b.pick(list);
  return b.add(drawn.first, x, drawn.second);
}

int normalised_last_axis(NetworkBuilder& b, int x) {
  const int64_t features = b[x].size(-1);
  if (features < 2) throw NotPossible();
  const std::string name = b.layer("norm");
  const at::Tensor scale = b.uniform(name + ".weight", {features}, 0.5, 1.5);
  if (b.chance(20)) {
    return b.add("root mean square norm " + name, x, [=](const at::Tensor& in) {
      return in * at::rsqrt(in.pow(2).mean(-1, true) + 1e-3) * scale;
    });
  }
  const at::Tensor shift = b.uniform(name + ".bias", {features}, -0.3, 0.3);
  return b.add("layer_norm " + name, x,
               [=](const at::Tensor& in) { return at::layer_norm(in, {features}, scale, shift, 1e-3); });
}

int linear(NetworkBuilder& b, int x, int64_t features) {
  const int64_t inputs = b[x].size(-1);
  const std::string name = b.layer("linear");
  const at::Tensor weight =
      b.weight(name + ".weight", {features, inputs}, 1 / std::sqrt(static_cast<double>(inputs)));
  const std::string text = c10::str(name, " ", weight.sizes());
  const int64_t kind = b.between(0, 9);
  if (kind == 0) {
    return b.add("matmul with the transposed weight of " + text, x,
                 [=](const at::Tensor& in) { return at::matmul(in, weight.t()); });
  }
  const at::Tensor bias = b.uniform(name + ".bias", {features}, -0.3, 0.3);
  if (kind == 1) {
    return b.add("addmm of all rows, " + text, x, [=](const at::Tensor& in) {
      std::vector<int64_t> sizes = in.sizes().vec();
      sizes.back() = features;
      return at::addmm(bias, in.reshape({-1, inputs}), weight.t()).reshape(sizes);
    });
  }
  const bool has_bias = b.chance(80);
  return b.add((has_bias ? "linear " : "linear without bias ") + text, x, [=](const at::Tensor& in) {
    return at::linear(in, weight, has_bias ? std::optional(bias) : std::nullopt);
  });
}

}  // namespace faultwave::test
