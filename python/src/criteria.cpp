// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"
#include "faultwave/outcome.h"

#include "bindings.h"
#include "python_call.h"

namespace faultwave::python {
namespace {

/// A criterion that Python functions decide. What they raise ends the campaign, with the exception as the
/// cause.
class PythonCriterion final : public Criterion {
 public:
  /// `fires`: (golden, faulty, label, None) -> bool. `is_near_border`: likewise with the rounding in place of
  /// None, or None where nothing is known of it.
  PythonCriterion(std::string name, const py::object& fires, const py::object& is_near_border)
      : name_(std::move(name)), fires_(fires), is_near_border_(is_near_border) {
    make_criterion(name_, [](const OutputPair&) { return false; });  // refuses a name that is none
  }

  std::string name() const override { return name_; }
  std::string text() const override { return name_; }

  bool fires(const OutputPair& outputs) const override { return ask(fires_, outputs, std::nullopt); }

  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    if (!Criterion::is_near_border(outputs, rounding)) return false;  // golden bit for bit
    return !knows_borders() || ask(is_near_border_, outputs, rounding);
  }

 private:
  bool knows_borders() const { return !is_near_border_.is_none(); }

  bool ask(const Kept& function, const OutputPair& outputs, std::optional<double> rounding) const {
    try {
      return call_python([&] {
        return function.get()(outputs.golden, outputs.faulty, outputs.label, rounding).cast<bool>();
      });
    } catch (const std::runtime_error& error) {
      throw UserError(ErrorCode::bad_input, "criterion " + name_ + " failed: " + error.what());
    }
  }

  std::string name_;
  Kept fires_;
  Kept is_near_border_;
};

}  // namespace

void bind_criteria(py::module_& m) {
  py::class_<Criterion, std::shared_ptr<Criterion>>(m, "Criterion")
      .def_property_readonly("name", &Criterion::name)
      .def("__str__", &Criterion::text)
      .def("__repr__", [](const Criterion& criterion) { return "Criterion('" + criterion.text() + "')"; });

  m.def(
      "parse_criterion",
      [](const std::string& text) { return std::const_pointer_cast<Criterion>(parse_criterion(text)); },
      py::arg("text"));
  m.def(
      "is_near_border",
      [](const Criterion& criterion, const std::vector<at::Tensor>& golden,
         const std::vector<at::Tensor>& faulty,
         double rounding) { return criterion.is_near_border({golden, faulty}, rounding); },
      py::arg("criterion"), py::arg("golden"), py::arg("faulty"), py::arg("rounding"),
      py::call_guard<py::gil_scoped_release>());
  m.def("criterion_names", &criterion_names);
  m.def(
      "own_criterion",
      [](const std::string& name, const py::object& fires, const py::object& is_near_border) {
        return std::shared_ptr<Criterion>(std::make_shared<PythonCriterion>(name, fires, is_near_border));
      },
      py::arg("name"), py::arg("fires"), py::arg("is_near_border"));
}

}  // namespace faultwave::python
