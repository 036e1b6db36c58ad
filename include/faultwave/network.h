// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace torch::nn {
class Module;
}

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

class NetworkFile;

/// How many forwards of the network an Armed sees.
enum class Forwards : uint8_t {
  any,  ///< any number: an earlier layer that comes again means that a new forward has begun
  one,  ///< one alone: a layer that comes again is a round of a loop, and has the faults of its first rounds
};

/// Anything that can be run with what it owns: what injectors and engines need of a network. Several threads
/// may call forward at once as long as the network itself does not write to its buffers.
class Network {
 public:
  virtual ~Network() = default;

  /// Opens a file. Throws UserError(bad_input) for one that is missing, damaged or neither format, and
  /// UserError(bad_network) for a network that it cannot run, naming the node and what is not supported.
  static std::shared_ptr<NetworkFile> open(const std::string& path, const OpenOptions& options = {});

  /// Runs the network on the calling thread. Returns the outputs, containers flattened in order (flatten()).
  virtual std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) = 0;

  /// Shared tensors appear under each of their names.
  virtual std::vector<NamedTensor> parameters() const = 0;
  virtual std::vector<NamedTensor> buffers() const = 0;  ///< constants too

  /// Names of the inputs, for sites; numbers where left out.
  virtual std::vector<std::string> input_names() const { return {}; }

  /// Keeps, as it is now, all that a forward may change. Networks from files know what that is; by default it
  /// is the buffers. The network must outlive what is returned. Never null.
  virtual std::shared_ptr<KeptState> keep_state() const;

  /// Whether inputs of these shapes are taken, one for each input, where the network says so beforehand
  /// (exported programs); true where it does not.
  virtual bool takes(const std::vector<std::vector<int64_t>>& shapes) const;

  /// The module path of the operator that is running on this thread, where the network knows it; else "".
  /// Called by the profiler from inside an operator call.
  virtual std::string current_scope() const { return {}; }

  /// Switches to eval mode and returns what switches back; empty where there is nothing to switch.
  virtual std::function<void()> enter_eval() { return {}; }
};

/// A network opened from a file: a TorchScript archive (`.pt`) or an exported program (`.pt2`), told
/// apart by content, not by name. A TorchScript network is put into eval mode; an exported program stays in
/// the mode that it was exported in. forward() takes inputs in the order of inputs(), trailing optional ones
/// may be left out, and throws UserError(bad_input) for a wrong number, shape or type.
class NetworkFile : public Network {
 public:
  virtual std::vector<InputSpec> inputs() const = 0;
  std::vector<std::string> input_names() const override;

  /// Writes the network with its present parameter and buffer values to a new file of the same format,
  /// through a temporary file, so that nothing half written is left. Throws UserError(store) if that cannot
  /// be done.
  virtual void save(const std::string& path) const = 0;

  virtual std::string format() const = 0;  ///< "torchscript" or "exported program"
};

/// Runs a network in memory on the inputs of a batch. Its result may be any tree of tensors.
using NetworkCall = std::function<c10::IValue(const std::vector<c10::IValue>& inputs)>;

/// A module in memory, which is shared, never changed, and run in eval mode. Several inputs, or what is no
/// tensor, reach it through `forward`.
std::shared_ptr<Network> network_of(std::shared_ptr<torch::nn::Module> module, NetworkCall forward);

/// A module holder or shared_ptr whose forward takes one tensor.
template <typename Net>
  requires requires(Net net, const at::Tensor& input) { net->forward(input); }
std::shared_ptr<Network> network_of(Net net) {
  std::shared_ptr<torch::nn::Module> module;
  if constexpr (requires { net.ptr(); }) {
    module = net.ptr();
  } else {
    module = net;
  }
  return network_of(std::move(module), [net](const std::vector<c10::IValue>& inputs) mutable {
    return c10::IValue(net->forward(inputs.at(0).toTensor()));
  });
}

/// Any callable, with the tensors that it computes with, by name.
std::shared_ptr<Network> network_of(NetworkCall forward, std::vector<NamedTensor> parameters,
                                    std::vector<NamedTensor> buffers = {});

/// The tensors of a value in order: lists, tuples and dictionaries are gone through, a number becomes a
/// 0-dimensional tensor, None and strings are left out. Throws UserError(bad_network) for anything else.
std::vector<at::Tensor> flatten(const c10::IValue& value);

}  // namespace faultwave
#pragma GCC visibility pop
