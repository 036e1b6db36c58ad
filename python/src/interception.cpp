// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "faultwave/injector.h"

#include "bindings.h"

namespace faultwave::python {
namespace {

/// Injects a fault into one operator. Throws if that does not do what it should, so that whoever imports the
/// package with a torch that works differently learns of it at once.
void check_interception() {
  const at::NoGradGuard no_grad;
  const at::Tensor ones = at::ones({1, 2}, at::kFloat);
  const auto network =
      network_of([](const std::vector<c10::IValue>& in) { return in[0].toTensor().neg(); }, {}, {});
  Injector injector(network, {ones});
  const at::Tensor faulty =
      injector.run(parse_fault("output:neg[1] constant(7)"), [&] { return ones.neg(); });
  if (!faulty.equal(at::tensor({-1.0F, 7.0F}, at::kFloat).view({1, 2})))
    throw std::runtime_error("a fault in an operator did not do what it should");
}

}  // namespace

void bind_interception(py::module_& m) {
  m.def("check_interception", &check_interception, py::call_guard<py::gil_scoped_release>());
}

}  // namespace faultwave::python
