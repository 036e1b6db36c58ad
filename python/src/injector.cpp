// SPDX-License-Identifier: Apache-2.0
#include "faultwave/injector.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "python_call.h"

namespace faultwave::python {
namespace {

std::vector<c10::IValue> values(const std::vector<at::Tensor>& tensors) {
  return {tensors.begin(), tensors.end()};
}

struct DeleteWithoutGil {
  void operator()(Armed* armed) const {
    const py::gil_scoped_release no_gil;
    delete armed;
  }
};

}  // namespace

void bind_injector(py::module_& m) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;

  py::class_<Injector, std::shared_ptr<Injector>>(m, "Injector")
      .def(py::init([](const std::shared_ptr<Network>& network, const std::vector<at::Tensor>& example,
                       const std::vector<int64_t>& batch_axes) {
             return std::make_shared<Injector>(network, values(example), batch_axes);
           }),
           py::arg("network"), py::arg("example"), py::arg("batch_axes"), WithoutGil())
      .def_property_readonly("sites", &Injector::sites)
      .def_property_readonly("gradient_sites", &Injector::gradient_sites)
      .def(
          "site",
          [](const Injector& injector, const std::string& kind, const std::string& name) {
            return injector.site(parse_site_kind(kind), name);
          },
          py::arg("kind"), py::arg("name"))
      .def(
          "select",
          [](const Injector& injector, const std::string& kind, const std::vector<std::string>& globs) {
            return injector.select(parse_site_kind(kind), globs);
          },
          py::arg("kind"), py::arg("globs"))
      .def_property_readonly("batch", &Injector::batch)
      .def_property_readonly("batch_is_free", &Injector::batch_is_free)
      .def(
          "calibrate",
          [](Injector& injector, const std::vector<std::vector<at::Tensor>>& inputs) {
            std::vector<std::vector<c10::IValue>> all;
            for (const std::vector<at::Tensor>& input : inputs)
              all.push_back(values(input));
            injector.calibrate(all);
          },
          py::arg("inputs"), WithoutGil())
      .def(
          "learn",
          [](Injector& injector, const py::function& loop) {
            const Kept kept{loop};
            const py::gil_scoped_release no_gil;
            injector.learn([&kept] { call_python([&] { kept.get()(); }); });
          },
          py::arg("loop"))
      .def("int8_scale", &Injector::int8_scale, py::arg("site"))
      .def("resolve", &Injector::resolve, py::arg("fault"), WithoutGil())
      .def(
          "random_fault",
          [](const Injector& injector, const std::string& kind, const std::shared_ptr<ErrorModel>& model,
             std::optional<uint64_t> key) {
            return injector.random_fault(parse_site_kind(kind), model, key);
          },
          py::arg("kind"), py::arg("model"), py::arg("key") = py::none(), WithoutGil());

  // Hooks of a backward pass may wait for the GIL, on another thread, while they hold what these wait for.
  py::class_<Armed, std::unique_ptr<Armed, DeleteWithoutGil>>(m, "Armed")
      .def(py::init([](const Injector& injector, const std::vector<Fault>& faults) {
             return std::unique_ptr<Armed, DeleteWithoutGil>(new Armed(injector, faults));
           }),
           py::arg("injector"), py::arg("faults"), py::keep_alive<1, 2>())
      .def("disarm", &Armed::disarm, WithoutGil())
      .def("disarm_after_error", &Armed::disarm_after_error, WithoutGil())
      .def("abandon", &Armed::abandon, WithoutGil())
      .def("missed", &Armed::missed, WithoutGil())
      .def("receipts", &Armed::receipts, WithoutGil());

  py::class_<detail::StateScope>(m, "StateScope")
      .def(py::init<const Injector&>(), py::arg("injector"))
      .def("put_back", &detail::StateScope::put_back)
      .def("detach", [](const detail::StateScope& scope, at::Tensor tensor) {
        scope.detach(tensor);
        return tensor;
      });
}

}  // namespace faultwave::python
