// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "faultwave/network.h"

#include "src/model/kept_tensors.h"

namespace faultwave::detail {

/// A network of a callable and the tensors that it computes with.
class MemoryNetwork : public Network {
 public:
  using Run = std::function<std::vector<at::Tensor>(const std::vector<c10::IValue>& inputs)>;
  MemoryNetwork(Run run, std::vector<NamedTensor> parameters, std::vector<NamedTensor> buffers);

  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override { return run_(inputs); }
  std::vector<NamedTensor> parameters() const override { return parameters_; }
  std::vector<NamedTensor> buffers() const override { return buffers_; }
  std::shared_ptr<KeptState> keep_state() const override { return state_.keep(); }

 private:
  Run run_;
  std::vector<NamedTensor> parameters_;
  std::vector<NamedTensor> buffers_;
  mutable ReusedState state_;
};

/// A module and what runs it.
class ModuleNetwork final : public MemoryNetwork {
 public:
  /// The module must outlive this.
  ModuleNetwork(torch::nn::Module& module, Run run);
  std::function<void()> enter_eval() override;

 private:
  torch::nn::Module& module_;
};

std::vector<NamedTensor> parameters_of(const torch::nn::Module& module);
std::vector<NamedTensor> buffers_of(const torch::nn::Module& module);

}  // namespace faultwave::detail
