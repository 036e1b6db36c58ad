// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>
#include <vector>

#include "faultwave/network.h"

#include "src/model/written_attributes.h"

namespace faultwave::detail {

/// A network from a TorchScript archive, run by PyTorch's interpreter without its profiling and its
/// optimisation, so that each operator of the program is one operator call. Only this network's functions are
/// set so; PyTorch's global settings are left alone.
class TorchScriptNetwork : public NetworkFile {
 public:
  static std::shared_ptr<NetworkFile> open(const std::string& path, const OpenOptions& options);

  explicit TorchScriptNetwork(torch::jit::Module module);

  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override;
  std::vector<InputSpec> inputs() const override;
  std::vector<NamedTensor> parameters() const override;
  /// Tensors that stand in the code itself, as in a frozen network, come after the buffers as "constant.0"
  /// and so on.
  std::vector<NamedTensor> buffers() const override;
  std::shared_ptr<KeptState> keep_state() const override;
  std::string current_scope() const override;
  void save(const std::string& path) const override;
  std::string format() const override { return "torchscript"; }

 private:
  torch::jit::Module module_;
  std::vector<at::Tensor> constants_;
  WrittenAttributes written_;
};

}  // namespace faultwave::detail
