// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace faultwave {

struct NamedTensor {
  std::string name;  ///< dotted path, "layer1.0.conv1.weight"
  at::Tensor tensor;
};

/// An input that a network declares.
struct InputSpec {
  std::string name;
  std::optional<at::ScalarType> dtype;        ///< empty where the network does not say (TorchScript)
  std::optional<std::vector<int64_t>> shape;  ///< -1 for an axis of free size; empty where it does not say
};

struct OpenOptions {
  at::Device device = at::kCPU;
  std::optional<at::ScalarType> dtype;  ///< what floating-point parameters, buffers and constants become
};

/// A network opened from a file: a TorchScript archive (`.pt`) or an exported program (`.pt2`), told
/// apart by content, not by name. Always in eval mode. Several threads may call forward at once as long as
/// the network itself does not write to its buffers.
class Network {
 public:
  virtual ~Network() = default;

  /// Throws UserError(bad_input) for a file that is missing, damaged or neither format, and
  /// UserError(bad_network) for a network that it cannot run, naming the node and what is not supported.
  static std::shared_ptr<Network> open(const std::string& path, const OpenOptions& options = {});

  /// Runs the network. Inputs in the order of inputs(); trailing optional ones may be left out. Returns the
  /// outputs, containers flattened in order. Throws UserError(bad_input) for a wrong number, shape or type.
  virtual std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) = 0;

  virtual std::vector<InputSpec> inputs() const = 0;
  /// Shared tensors appear under each of their names.
  virtual std::vector<NamedTensor> parameters() const = 0;
  virtual std::vector<NamedTensor> buffers() const = 0;  ///< constants too

  /// The module path of the operator that is running on this thread, where the network knows it; else "".
  /// Called by the profiler from inside an operator call.
  virtual std::string current_scope() const { return {}; }

  /// Writes the network with its present parameter and buffer values to a new file of the same format,
  /// through a temporary file, so that nothing half written is left. Throws UserError(store) if that cannot
  /// be done.
  virtual void save(const std::string& path) const = 0;

  virtual std::string format() const = 0;  ///< "torchscript" or "exported program"
};

}  // namespace faultwave
