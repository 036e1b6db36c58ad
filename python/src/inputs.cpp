// SPDX-License-Identifier: Apache-2.0
#include "faultwave/inputs.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "faultwave/error.h"
#include "faultwave/input_reader.h"

#include "bindings.h"
#include "python_call.h"

namespace faultwave::python {
namespace {

/// Inputs that a Python function gives: (index) -> list of tensors. What it raises is the cause of an
/// InputError.
std::shared_ptr<InputSet> from_reader(int64_t size, const py::function& read,
                                      const std::vector<int64_t>& batch_axes) {
  const Kept kept{read};
  const py::gil_scoped_release no_gil;
  const InputReader reader = [kept](int64_t index) {
    try {
      return call_python([&] { return kept.get()(index).cast<Input>(); });
    } catch (const std::runtime_error& error) {
      throw UserError(ErrorCode::bad_input,
                      "input " + std::to_string(index) + " cannot be read: " + error.what());
    }
  };
  return inputs_from_reader(size, reader, batch_axes);
}

}  // namespace

void bind_inputs(py::module_& m) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;

  py::class_<InputSet, std::shared_ptr<InputSet>>(m, "InputSet")
      .def("__len__", &InputSet::size)
      .def("get", &InputSet::get, py::arg("index"), WithoutGil())
      .def_property_readonly("batch_axes", &InputSet::batch_axes)
      .def("name", &InputSet::name, py::arg("index"))
      .def("fingerprint", &InputSet::fingerprint, WithoutGil());

  m.def("inputs_from_tensors", &inputs_from_tensors, py::arg("tensors"), py::arg("batch_axes"), WithoutGil());
  m.def("inputs_from_list", &inputs_from_list, py::arg("inputs"), py::arg("batch_axes"), WithoutGil());
  m.def("inputs_from_reader", &from_reader, py::arg("size"), py::arg("read"), py::arg("batch_axes"));
  m.def("load_tensor", &load_tensor, py::arg("path"), WithoutGil());
  m.def("open_inputs", &open_inputs, py::arg("path"), py::arg("preprocess"), WithoutGil());
}

}  // namespace faultwave::python
