// SPDX-License-Identifier: Apache-2.0
// Modules of C++ where a network from a file is wanted, for tests and benches.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/network.h"

namespace faultwave::zoo {

/// A module of C++ and how it is run, as a network for engines; put into eval mode.
class ModuleNetwork : public Network {
 public:
  using Forward = std::function<std::vector<at::Tensor>(const at::Tensor&)>;
  ModuleNetwork(std::shared_ptr<torch::nn::Module> module, Forward forward)
      : module_(std::move(module)), forward_(std::move(forward)) {
    module_->eval();
  }
  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override {
    return forward_(inputs.at(0).toTensor());
  }
  std::vector<std::string> input_names() const override { return {"x"}; }
  std::vector<NamedTensor> parameters() const override { return named(module_->named_parameters()); }
  std::vector<NamedTensor> buffers() const override { return named(module_->named_buffers()); }

 private:
  template <typename Dictionary>
  static std::vector<NamedTensor> named(const Dictionary& tensors) {
    std::vector<NamedTensor> list;
    for (const auto& item : tensors)
      list.push_back({item.key(), item.value()});
    return list;
  }
  std::shared_ptr<torch::nn::Module> module_;
  Forward forward_;
};

}  // namespace faultwave::zoo
