// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "faultwave/network.h"

#include "src/model/exported_archive.h"
#include "src/model/input_check.h"
#include "src/model/kept_tensors.h"
#include "src/model/program.h"

namespace faultwave::detail {

/// A network from an exported program. A forward checks its inputs and runs the program; nothing else is left
/// to do.
class ExportedNetwork : public NetworkFile {
 public:
  static std::shared_ptr<NetworkFile> open(const std::string& path, const OpenOptions& options);

  ExportedNetwork(ExportedArchive archive, const OpenOptions& options);

  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override;
  std::vector<InputSpec> inputs() const override { return check_.specs(); }
  std::vector<NamedTensor> parameters() const override { return tensors(true); }
  std::vector<NamedTensor> buffers() const override { return tensors(false); }
  std::shared_ptr<KeptState> keep_state() const override { return std::make_shared<TensorState>(written_); }
  bool takes(const std::vector<std::vector<int64_t>>& shapes) const override { return check_.takes(shapes); }
  std::string current_scope() const override { return program_.running_scope(); }
  void save(const std::string& path) const override { archive_.write(path); }
  std::string format() const override { return "exported program"; }

 private:
  std::vector<NamedTensor> tensors(bool parameters) const;

  ExportedArchive archive_;
  InputCheck check_;
  Program program_;
  std::vector<at::Tensor> written_;  // stored tensors that a forward may change
};

}  // namespace faultwave::detail
