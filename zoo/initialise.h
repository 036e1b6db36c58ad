// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

namespace faultwave::zoo {

/// Draws convolution weights so that values keep their magnitude from layer to layer (He et al., "Delving
/// deep into rectifiers", ICCV 2015, by fan-out) and zeroes convolution biases. With libtorch's own defaults
/// the values of a deep network without trained weights fade away, and faults in it with them.
inline void initialise_convolutions(torch::nn::Module& network) {
  torch::NoGradGuard no_grad;
  // Without the network itself, which no shared pointer owns while it is being constructed.
  for (const auto& module : network.modules(/*include_self=*/false)) {
    auto* convolution = module->as<torch::nn::Conv2d>();
    if (convolution == nullptr) continue;
    torch::nn::init::kaiming_normal_(convolution->weight, 0, torch::kFanOut, torch::kReLU);
    if (convolution->bias.defined()) convolution->bias.zero_();
  }
}

}  // namespace faultwave::zoo
