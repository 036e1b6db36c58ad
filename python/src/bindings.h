// SPDX-License-Identifier: Apache-2.0
// The extension module faultwave._core. Each source binds what one or a few public headers declare; the
// package beside it (python/faultwave) makes it pleasant.
#pragma once

#include <torch/csrc/autograd/python_variable.h>
#include <torch/csrc/utils/pybind.h>

#include <pybind11/functional.h>
#include <pybind11/stl.h>

namespace faultwave::python {

namespace py = pybind11;

void bind_errors();                       // error.h
void bind_sites(py::module_& m);          // site.h
void bind_error_models(py::module_& m);   // error_model.h
void bind_faults(py::module_& m);         // fault.h, location.h, receipt.h
void bind_networks(py::module_& m);       // network.h
void bind_injector(py::module_& m);       // injector.h
void bind_specification(py::module_& m);  // specification.h
void bind_inputs(py::module_& m);         // inputs.h
void bind_criteria(py::module_& m);       // outcome.h
void bind_store(py::module_& m);          // store.h
void bind_report(py::module_& m);         // report.h, estimates.h, interval.h
void bind_campaign(py::module_& m);       // campaign.h
void bind_workers(py::module_& m);        // processes of a campaign
void bind_comparison(py::module_& m);     // comparison.h, merge.h
void bind_perturb(py::module_& m);        // perturb.h
void bind_interception(py::module_& m);   // whether faults hit at all
void bind_docstrings(py::module_& m);     // those of the stub, for all that is bound before

}  // namespace faultwave::python
