// SPDX-License-Identifier: Apache-2.0
#include "faultwave/comparison.h"

#include <optional>
#include <string>
#include <vector>

#include "faultwave/merge.h"

#include "bindings.h"
#include "python_call.h"

namespace faultwave::python {
namespace {

/// "first", "second", or none where the test does not tell.
std::optional<std::string> worse_of(const ComparedCriterion& criterion) {
  switch (criterion.worse) {
    case Worse::first:
      return "first";
    case Worse::second:
      return "second";
    case Worse::untold:
      break;
  }
  return std::nullopt;
}

}  // namespace

void bind_comparison(py::module_& m) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;

  py::class_<PairedCounts>(m, "PairedCounts")
      .def_readonly("both", &PairedCounts::both)
      .def_readonly("first_only", &PairedCounts::first_only)
      .def_readonly("second_only", &PairedCounts::second_only)
      .def_readonly("neither", &PairedCounts::neither);

  py::class_<ComparedCriterion>(m, "ComparedCriterion")
      .def_readonly("name", &ComparedCriterion::name)
      .def_readonly("counts", &ComparedCriterion::counts)
      .def_readonly("first", &ComparedCriterion::first)
      .def_readonly("second", &ComparedCriterion::second)
      .def_readonly("difference", &ComparedCriterion::difference)
      .def_readonly("p_value", &ComparedCriterion::p_value)
      .def_property_readonly("worse", &worse_of);

  py::class_<Comparison>(m, "Comparison")
      .def_readonly("first", &Comparison::first)
      .def_readonly("second", &Comparison::second)
      .def_readonly("pairs", &Comparison::pairs)
      .def_readonly("confidence", &Comparison::confidence)
      .def_readonly("is_exact", &Comparison::is_exact)
      .def_readonly("is_fixed", &Comparison::is_fixed)
      .def_readonly("criteria", &Comparison::criteria)
      .def("text", [](const Comparison& comparison) { return text_report(comparison); })
      .def("json", [](const Comparison& comparison) { return json_report(comparison); });

  m.def(
      "compare", [](const Store& first, const Store& second) { return compare(first, second); },
      py::arg("first"), py::arg("second"), WithoutGil());
  m.def(
      "merge",
      [](const std::vector<std::string>& databases, const std::string& output) {
        const CancelCheck never = [] {
          check_signals();
          return false;
        };
        return merge_campaigns(databases, output, never);
      },
      py::arg("databases"), py::arg("output"), WithoutGil());
}

}  // namespace faultwave::python
