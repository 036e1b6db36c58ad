// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

PYBIND11_MODULE(_core, m) {
  using namespace faultwave::python;
  m.doc() = "The C++ core of Faultwave. Use the package faultwave, which is made of it.";
  bind_errors();
  bind_sites(m);
  bind_error_models(m);
  bind_faults(m);
  bind_networks(m);
  bind_injector(m);
  bind_perturb(m);
  bind_specification(m);
  bind_inputs(m);
  bind_criteria(m);
  bind_store(m);
  bind_report(m);
  bind_campaign(m);
  bind_workers(m);
  bind_comparison(m);
  bind_interception(m);
  bind_docstrings(m);
}
