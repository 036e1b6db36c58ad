// SPDX-License-Identifier: Apache-2.0
#include "faultwave/perturb.h"

#include <vector>

#include "bindings.h"
#include "python_network.h"

namespace faultwave::python {

void bind_perturb(py::module_& m) {
  m.def(
      "perturb",
      [](const NamedTensors& parameters, const NamedTensors& buffers, const std::vector<Fault>& faults) {
        return perturb(named(parameters), named(buffers), faults);
      },
      py::arg("parameters"), py::arg("buffers"), py::arg("faults"), py::call_guard<py::gil_scoped_release>());
}

}  // namespace faultwave::python
