// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <set>
#include <string>
#include <vector>

namespace faultwave::detail {

/// What of a TorchScript module one of its methods may change, in any branch.
struct WrittenAttributes {
  /// The code does something that cannot be followed, so that it may be any attribute and any constant.
  bool all = false;
  /// Attributes that are assigned, or whose tensors, lists or dictionaries are written to: "encoder.state".
  std::set<std::string> paths;
  std::vector<at::Tensor> constants;  ///< tensors in the code itself that are written to
};

/// Reads the method's code, the modules that it calls included. Branches that the module's flags (`training`)
/// rule out do not count.
WrittenAttributes written_attributes(const torch::jit::Module& module, const std::string& method);

}  // namespace faultwave::detail
