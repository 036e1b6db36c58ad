// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/script.h>

#include <string>

#include "faultwave/inputs.h"

#include "tests/support/temp_folder.h"

namespace faultwave {

/// A network of two layers with weights that are sums of few powers of two, so that its results are the same
/// on any machine: a 3 x 3 convolution of [1, 4, 4] to 2 channels, ReLU, a linear layer to 4 classes.
inline void save_tiny_network(const std::string& path, double sign = 1.0) {
  const auto ramp = [](at::IntArrayRef shape, int64_t modulus) {
    const int64_t count = c10::multiply_integers(shape);
    return ((torch::arange(count) * 5 % modulus - modulus / 2).to(torch::kFloat) / 8).reshape(shape);
  };
  torch::jit::Module conv("Conv");
  conv.register_parameter("weight", sign * ramp({2, 1, 3, 3}, 7), false);
  conv.register_parameter("bias", ramp({2}, 3), false);
  conv.define("def forward(self, x):\n    return torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1])\n");
  torch::jit::Module fc("Linear");
  fc.register_parameter("weight", ramp({4, 32}, 11), false);
  fc.register_parameter("bias", ramp({4}, 5), false);
  fc.define("def forward(self, x):\n    return torch.linear(x, self.weight, self.bias)\n");
  torch::jit::Module net("Tiny");
  net.register_module("conv", conv);
  net.register_module("fc", fc);
  net.define(
      "def forward(self, x):\n    return self.fc.forward(torch.flatten(torch.relu(self.conv.forward(x)), "
      "1))\n");
  net.eval();
  net.save(path);
}

inline const std::string tiny_specification = R"(model  = "net.pt"
input  = "images.npy"
seed   = 1
trials = 60
batch  = 4
block  = 16
engine = "direct"
criteria = ['top1', 'top5', 'confidence(0.2)', 'nonfinite']
[fault]
kind   = "output"
sites  = ["*"]
error  = "flip"
draw   = "layers"
)";

/// Fills a folder with net.pt, images.npy ([5, 1, 4, 4]) and spec.toml.
inline void make_tiny_campaign(const TempFolder& folder,
                               const std::string& specification = tiny_specification) {
  save_tiny_network(folder / "net.pt");
  save_npy(folder / "images.npy",
           (torch::arange(80) * 7 % 13 - 6).to(torch::kFloat).reshape({5, 1, 4, 4}) / 4);
  write_file(folder / "spec.toml", specification);
}

}  // namespace faultwave
