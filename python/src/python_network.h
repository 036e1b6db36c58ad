// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "faultwave/network.h"

#include "bindings.h"
#include "python_call.h"

namespace faultwave::python {

/// As Python gives them.
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;
std::vector<NamedTensor> named(const NamedTensors& tensors);

/// A network that Python runs. What it asks of its Python object:
///
///     forward(tensors: list[Tensor]) -> list[Tensor | int | float | bool]
///     enter_eval() -> Callable[[], None] | None     switches to eval mode, and returns what switches back
///     keep_state() -> Callable[[], None] | None     remembers which objects attributes hold, and returns
///     what puts
///                                                   them back
///
/// It refers to that object weakly, so that Python's collector sees all cycles: whoever uses the network
/// holds the object.
class PythonNetwork final : public Network {
 public:
  /// The GIL must be held.
  PythonNetwork(const py::object& owner, std::vector<NamedTensor> parameters,
                std::vector<NamedTensor> buffers, std::vector<std::string> input_names);

  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override {
    return tensors_->forward(inputs);
  }
  std::vector<NamedTensor> parameters() const override { return tensors_->parameters(); }
  std::vector<NamedTensor> buffers() const override { return tensors_->buffers(); }
  std::vector<std::string> input_names() const override { return input_names_; }
  std::shared_ptr<KeptState> keep_state() const override;
  std::function<void()> enter_eval() override;
  std::string current_scope() const override;

  // By Python's hooks, around each module that runs while the network is profiled.
  void enter_scope(const std::string& path);
  void leave_scope();

 private:
  class Attributes;
  py::object owner() const;
  c10::IValue run(const std::vector<c10::IValue>& inputs) const;

  Kept owner_;  // a weak reference
  std::shared_ptr<Network> tensors_;
  std::vector<std::string> input_names_;
  std::vector<std::string> scopes_;
  std::thread::id scopes_thread_;  // whose modules scopes_ are
};

}  // namespace faultwave::python
