// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <stdexcept>
#include <utility>

#include "faultwave/network.h"

#include "python_network.h"

namespace faultwave::python {
namespace {

c10::IValue leaf(const py::handle& value) {
  if (THPVariable_Check(value.ptr())) return value.cast<at::Tensor>();
  if (PyBool_Check(value.ptr()) != 0) return value.cast<bool>();
  if (PyLong_Check(value.ptr()) != 0) return value.cast<int64_t>();
  return value.cast<double>();
}

/// A function without arguments, or none for None. It is of those that put something back: destructors call
/// it, and what Ctrl-C interrupts is done again, before the interruption goes on.
std::function<void()> action(const py::object& function) {
  if (function.is_none()) return {};
  const Kept kept{function};
  return [kept] {
    try {
      call_python([&] { kept.get()(); });
    } catch (const Interruption&) {
      call_python([&] { kept.get()(); });
      PyErr_SetInterrupt();
    }
  };
}

}  // namespace

std::vector<NamedTensor> named(const NamedTensors& tensors) {
  std::vector<NamedTensor> result;
  for (const auto& [name, tensor] : tensors)
    result.push_back({name, tensor});
  return result;
}

/// Values of tensors, and which objects attributes hold.
class PythonNetwork::Attributes final : public KeptState {
 public:
  Attributes(std::shared_ptr<KeptState> values, std::function<void()> put_back)
      : values_(std::move(values)), put_back_(std::move(put_back)) {}

  void put_back() override {
    if (put_back_) put_back_();
    values_->put_back();
  }
  bool keeps(const at::Tensor& tensor) const override { return values_->keeps(tensor); }
  bool is_empty() const override { return !put_back_ && values_->is_empty(); }

 private:
  std::shared_ptr<KeptState> values_;
  std::function<void()> put_back_;
};

PythonNetwork::PythonNetwork(const py::object& owner, std::vector<NamedTensor> parameters,
                             std::vector<NamedTensor> buffers, std::vector<std::string> input_names)
    : owner_(py::weakref(owner)),
      tensors_(network_of([this](const std::vector<c10::IValue>& inputs) { return run(inputs); },
                          std::move(parameters), std::move(buffers))),
      input_names_(std::move(input_names)) {}

py::object PythonNetwork::owner() const {
  py::object object = owner_.get()();
  if (object.is_none())
    throw std::logic_error("the Python object of a network is gone while the network is used");
  return object;
}

c10::IValue PythonNetwork::run(const std::vector<c10::IValue>& inputs) const {
  check_signals();
  return call_python([&]() -> c10::IValue {
    py::list tensors;
    for (const c10::IValue& input : inputs)
      tensors.append(py::cast(input.toTensor()));
    std::vector<c10::IValue> outputs;
    for (const py::handle& output : py::list(owner().attr("forward")(tensors)))
      outputs.push_back(leaf(output));
    return c10::ivalue::Tuple::create(std::move(outputs));
  });
}

std::shared_ptr<KeptState> PythonNetwork::keep_state() const {
  std::function<void()> put_back = call_python([&] { return action(owner().attr("keep_state")()); });
  return std::make_shared<Attributes>(tensors_->keep_state(), std::move(put_back));
}

std::function<void()> PythonNetwork::enter_eval() {
  return call_python([&] { return action(owner().attr("enter_eval")()); });
}

std::string PythonNetwork::current_scope() const {
  if (scopes_.empty() || scopes_thread_ != std::this_thread::get_id()) return {};
  return scopes_.back();
}

void PythonNetwork::enter_scope(const std::string& path) {
  scopes_thread_ = std::this_thread::get_id();
  scopes_.push_back(path);
}

void PythonNetwork::leave_scope() {
  if (!scopes_.empty()) scopes_.pop_back();
}

void bind_networks(py::module_& m) {
  py::class_<Network, std::shared_ptr<Network>>(m, "Network")
      .def_property_readonly("input_names", &Network::input_names);
  m.def(
      "open_network",
      [](const std::string& path, const std::string& device, std::optional<at::ScalarType> dtype) {
        return std::shared_ptr<Network>(Network::open(path, {.device = at::Device(device), .dtype = dtype}));
      },
      py::arg("path"), py::arg("device"), py::arg("dtype"), py::call_guard<py::gil_scoped_release>());
  py::class_<PythonNetwork, Network, std::shared_ptr<PythonNetwork>>(m, "PythonNetwork")
      .def(py::init([](const py::object& owner, const NamedTensors& parameters, const NamedTensors& buffers,
                       const std::vector<std::string>& input_names) {
             return std::make_shared<PythonNetwork>(owner, named(parameters), named(buffers), input_names);
           }),
           py::arg("owner"), py::arg("parameters"), py::arg("buffers"), py::arg("input_names"))
      .def("enter_scope", &PythonNetwork::enter_scope, py::arg("path"))
      .def("leave_scope", &PythonNetwork::leave_scope);
}

}  // namespace faultwave::python
