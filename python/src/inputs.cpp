// SPDX-License-Identifier: Apache-2.0
#include "faultwave/inputs.h"

#include <memory>
#include <string>
#include <vector>

#include "bindings.h"

namespace faultwave::python {

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
  m.def("load_tensor", &load_tensor, py::arg("path"), WithoutGil());
  m.def("open_inputs", &open_inputs, py::arg("path"), py::arg("preprocess"), WithoutGil());
}

}  // namespace faultwave::python
