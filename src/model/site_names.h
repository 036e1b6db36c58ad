// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "faultwave/site.h"

#include "src/model/recorder.h"
#include "src/model/stored_tensors.h"

namespace faultwave::detail {

/// Gives operator calls their names, in execution order.
///
/// An operator that reads a stored tensor and data goes by the module that owns the tensor: `layer1.0.conv1`.
/// A fused operator that stands for a whole layer goes by the module that owns all the tensors that it reads.
/// When the module runs again the same operator is `layer1.0.conv1#2`; another operator on its tensors is
/// `layer1.0.conv1/add`. Any other operator is `path/op`, `path/op#2`: the path is what the network tells
/// (exported programs, TorchScript), otherwise the parent of the module whose tensors were read last.
class CallNamer {
 public:
  explicit CallNamer(const StoredTensors& stored);

  std::string name(const RecordedCall& call);

 private:
  std::string path_of(const RecordedCall& call) const;
  std::string unique(const std::string& base);

  const StoredTensors& stored_;
  std::set<std::string> containers_;  // modules that hold modules with tensors
  std::string last_owner_;
  std::map<std::string, std::string> primary_op_;  // owner module -> its first operator
  std::map<std::string, int> used_;
};

/// "conv2d" of "aten::conv2d"; "relu" of "aten::relu_".
std::string short_op_name(const std::string& op);

/// Module path of a stored tensor: "layer1.0.conv1" of "layer1.0.conv1.weight", "" at the root and for graph
/// constants.
std::string owner_of(const std::string& tensor_name);

/// Site names of a stored tensor. A parameter called `weight` or `bias` goes by its module, any other tensor
/// by its full name. Kind bias: the last part of the name holds "bias".
SiteKind stored_site_kind(const StoredTensors::Entry& entry);
std::string stored_site_name(const StoredTensors::Entry& entry);

/// Whether an operator counts as a layer, so that its output is a default site: it owns a parameter (or
/// packed parameters, or a constant handed in as `weight`) and reads data as well.
bool is_layer(const RecordedCall& call, const StoredTensors& stored);

}  // namespace faultwave::detail
