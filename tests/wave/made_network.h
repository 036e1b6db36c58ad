// SPDX-License-Identifier: Apache-2.0
// Networks made on the spot, and both engines on drawn faults in them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tests/wave/agreement.h"

namespace faultwave::test {

namespace nn = torch::nn;

/// A module whose submodules are given at once.
struct Holder : nn::Module {
  template <typename Layer>
  Layer add(const std::string& name, Layer layer) {
    return register_module(name, layer);
  }
};

inline at::Tensor relu_in_place(at::Tensor x) {
  return x.relu_();
}

/// Running means and variances, scales and shifts that are not those of a new layer.
inline void settle(nn::Module& module, uint64_t seed) {
  torch::manual_seed(seed);
  torch::NoGradGuard no_grad;
  for (const auto& item : module.named_parameters()) {
    if (item.key().find("norm.weight") != std::string::npos) item.value().uniform_(0.5, 1.5);
    if (item.key().find("bias") != std::string::npos) item.value().normal_(0, 0.2);
  }
  for (const auto& item : module.named_buffers()) {
    if (item.key().find("running_mean") != std::string::npos) item.value().normal_(0, 0.3);
    if (item.key().find("running_var") != std::string::npos) item.value().uniform_(0.5, 1.5);
  }
}

inline at::Tensor images(int64_t count, int64_t channels, int64_t height, int64_t width) {
  torch::manual_seed(11);
  return torch::randn({count, channels, height, width});
}

inline WaveReport agree(const std::shared_ptr<Holder>& module, ModuleNetwork::Forward forward,
                        const at::Tensor& batch, int trials = 150,
                        const WaveOptions& options = {.fewest = 1, .inputs = 1}) {
  settle(*module, 3);
  Engines engines(std::make_shared<ModuleNetwork>(module, std::move(forward)), batch, options);
  check_agreement(engines, drawn_trials(engines, trials, 21));
  return engines.wave.report();
}

}  // namespace faultwave::test
