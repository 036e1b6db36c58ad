// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "faultwave/site.h"

#include "bindings.h"

namespace faultwave::python {

void bind_sites(py::module_& m) {
  py::class_<BatchAxis>(m, "BatchAxis")
      .def_readonly("dim", &BatchAxis::dim)
      .def_readonly("rows", &BatchAxis::rows)
      .def_readonly("run", &BatchAxis::run);

  py::class_<Site>(m, "Site")
      .def_readonly("name", &Site::name)
      .def_property_readonly("kind", [](const Site& site) { return std::string(to_string(site.kind)); })
      .def_readonly("op", &Site::op)
      .def_property_readonly("shape", [](const Site& site) { return py::tuple(py::cast(site.shape)); })
      .def_readonly("dtype", &Site::dtype)
      .def_readonly("batch", &Site::batch)
      .def_readonly("channel_axis", &Site::channel_axis)
      .def_readonly("is_default", &Site::is_default)
      .def_readonly("number", &Site::number)
      .def_property_readonly("free_axes",
                             [](const Site& site) { return py::tuple(py::cast(site.free_axes)); })
      .def_property_readonly("element_shape",
                             [](const Site& site) { return py::tuple(py::cast(site.element_shape())); })
      .def_property_readonly("numel", &Site::numel)
      .def_property_readonly("bits", &Site::bits)
      .def("__repr__", [](const Site& site) {
        return "Site('" + std::string(to_string(site.kind)) + ":" + site.name +
               "', shape=" + std::string(py::repr(py::tuple(py::cast(site.shape)))) + ")";
      });
}

}  // namespace faultwave::python
