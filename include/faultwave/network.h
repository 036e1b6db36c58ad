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

#pragma GCC visibility push(default)
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
  /// A shape that the network takes, free sizes filled in: the smallest batch, and otherwise the sizes that
  /// it was exported with. Of a whole number, whose shape is [], the number alone. Empty where the network
  /// does not say.
  std::optional<std::vector<int64_t>> example = {};
};

struct OpenOptions {
  at::Device device = at::kCPU;
  std::optional<at::ScalarType> dtype;  ///< what floating-point parameters, buffers and constants become
};

/// What a network keeps from one forward to the next, as it was at one moment.
class KeptState {
 public:
  virtual ~KeptState() = default;
  /// Writes back what has changed since, and nothing else: values, sizes, and which tensors, lists and
  /// numbers attributes hold. No forward may be under way.
  virtual void put_back() = 0;
  /// Whether this tensor's memory is among what is kept.
  virtual bool keeps(const at::Tensor& tensor) const = 0;
  /// Nothing is kept, since no forward can change anything.
  virtual bool is_empty() const = 0;
};

/// A network opened from a file: a TorchScript archive (`.pt`) or an exported program (`.pt2`), told
/// apart by content, not by name. A TorchScript network is put into eval mode; an exported program stays in
/// the mode that it was exported in. Several threads may call forward at once as long as the network itself
/// does not write to its buffers.
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

  /// Keeps, as it is now, all that a forward may change. Networks from files know what that is; by default it
  /// is the buffers. The network must outlive what is returned. Never null.
  virtual std::shared_ptr<KeptState> keep_state() const;

  /// Whether inputs of these shapes are taken, one for each input, where the network says so beforehand
  /// (exported programs); true where it does not.
  virtual bool takes(const std::vector<std::vector<int64_t>>& shapes) const;

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
#pragma GCC visibility pop
