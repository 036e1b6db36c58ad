// SPDX-License-Identifier: Apache-2.0
// Networks small enough to work out by hand.
#pragma once

#include <torch/torch.h>

namespace tiny {

/// y = 2 x + 1 by a 1x1 convolution, then y + x. For x = [[1, 2], [3, 4]]: conv 3 5 7 9, sum 4 7 10 13.
struct ResidualImpl : torch::nn::Module {
  ResidualImpl() {
    conv = register_module("conv", torch::nn::Conv2d(1, 1, 1));
    torch::NoGradGuard no_grad;
    conv->weight.fill_(2);
    conv->bias.fill_(1);
  }
  torch::Tensor forward(torch::Tensor x) { return conv(x) + x; }
  torch::nn::Conv2d conv{nullptr};
};
TORCH_MODULE(Residual);

inline torch::Tensor image() {
  return torch::tensor({1.f, 2.f, 3.f, 4.f}).view({1, 1, 2, 2});
}

/// Two linear layers [2 -> 2 -> 1] around an in-place ReLU whose return value is not used.
/// W1 = [[1, 0], [0, -1]], b1 = 0, W2 = [[10, 100]], b2 = 5. For x = [3, 4]: hidden 3, -4 -> 3, 0; out 35.
struct InPlaceImpl : torch::nn::Module {
  InPlaceImpl() {
    first = register_module("first", torch::nn::Linear(2, 2));
    second = register_module("second", torch::nn::Linear(2, 1));
    torch::NoGradGuard no_grad;
    first->weight.copy_(torch::tensor({{1.f, 0.f}, {0.f, -1.f}}));
    first->bias.zero_();
    second->weight.copy_(torch::tensor({{10.f, 100.f}}));
    second->bias.fill_(5);
  }
  torch::Tensor forward(torch::Tensor x) {
    torch::Tensor hidden = first(x);
    torch::relu_(hidden);
    return second(hidden);
  }
  torch::nn::Linear first{nullptr}, second{nullptr};
};
TORCH_MODULE(InPlace);

inline torch::Tensor pair() {
  return torch::tensor({{3.f, 4.f}});
}

}  // namespace tiny
