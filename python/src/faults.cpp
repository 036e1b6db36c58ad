// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "faultwave/fault.h"
#include "faultwave/location.h"
#include "faultwave/receipt.h"

#include "bindings.h"

namespace faultwave::python {
namespace {

std::string text_of(const BatchPart& batch) {
  switch (batch.kind) {
    case BatchPart::Kind::all:
      return "*";
    case BatchPart::Kind::each:
      return "each";
    case BatchPart::Kind::one:
      return std::to_string(batch.element);
  }
  return "";
}

std::string text_of(const ForwardRange& forwards) {
  if (forwards.is_all()) return "";
  const std::string begin = std::to_string(forwards.begin);
  if (forwards.end == forwards.begin + 1) return begin;
  return begin + ":" + (forwards.end == ForwardRange::no_end ? "" : std::to_string(forwards.end));
}

/// A location as in a fault line, or the index of one value.
using Where = std::variant<std::string, std::vector<int64_t>>;

/// A fault of its parts, each written as in a fault line. The grammar of batch parts and forwards stands in
/// one place, the parser of fault lines.
Fault fault_of(const std::string& kind, const std::string& site, const Where& location,
               const std::shared_ptr<ErrorModel>& model, const std::string& batch,
               const std::string& forwards, std::optional<uint64_t> key) {
  Fault fault = parse_fault("output:x[*]" + (batch.empty() ? batch : "@" + batch) + " zero" +
                            (forwards.empty() ? forwards : "%" + forwards));
  fault.kind = parse_site_kind(kind);
  fault.site = site;
  fault.location = std::holds_alternative<std::string>(location)
                       ? parse_location(std::get<std::string>(location))
                       : Location::element(std::get<std::vector<int64_t>>(location));
  fault.model = model;
  fault.key = key;
  return fault;
}

std::string repr_of(const std::string& text) {
  return py::repr(py::cast(text));
}

std::string describe(const Receipt& receipt) {
  std::string text = "Receipt(" + repr_of(receipt.fault) + ", hits=" + std::to_string(receipt.hits);
  if (!receipt.victims.empty()) {
    const Victim& first = receipt.victims.front();
    text += ", before=" + std::string(py::repr(py::cast(first.before))) +
            ", after=" + std::string(py::repr(py::cast(first.after)));
  }
  return text + ")";
}

void bind_receipts(py::module_& m) {
  py::class_<Victim>(m, "Victim")
      .def_property_readonly("index", [](const Victim& victim) { return py::tuple(py::cast(victim.index)); })
      .def_property_readonly("element_index",
                             [](const Victim& victim) { return py::tuple(py::cast(victim.element_index)); })
      .def_readonly("before", &Victim::before)
      .def_readonly("after", &Victim::after)
      .def_readonly("bits_before", &Victim::bits_before)
      .def_readonly("bits_after", &Victim::bits_after);

  py::class_<Receipt>(m, "Receipt")
      .def_readonly("fault", &Receipt::fault)
      .def_property_readonly("kind",
                             [](const Receipt& receipt) { return std::string(to_string(receipt.kind)); })
      .def_readonly("site", &Receipt::site)
      .def_readonly("dtype", &Receipt::dtype)
      .def_readonly("forwards", &Receipt::forwards)
      .def_readonly("first_forward", &Receipt::first_forward)
      .def_readonly("hits", &Receipt::hits)
      .def_readonly("victims", &Receipt::victims)
      .def("__repr__", &describe);
}

}  // namespace

void bind_faults(py::module_& m) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;

  py::class_<Fault>(m, "Fault")
      .def(py::init([](const std::string& line) { return parse_fault(line); }), py::arg("line"), WithoutGil())
      .def(py::init([](const std::string& kind, const std::string& site, const Where& location,
                       const std::string& model, const std::string& batch, const std::string& forwards,
                       std::optional<uint64_t> key) {
             const auto parsed = std::const_pointer_cast<ErrorModel>(parse_error_model(model));
             return fault_of(kind, site, location, parsed, batch, forwards, key);
           }),
           py::kw_only(), py::arg("kind") = "output", py::arg("site"), py::arg("location") = "[?]",
           py::arg("model") = "flip", py::arg("batch") = "", py::arg("forwards") = "",
           py::arg("key") = py::none(), WithoutGil())
      .def(py::init(&fault_of), py::kw_only(), py::arg("kind") = "output", py::arg("site"),
           py::arg("location") = "[?]", py::arg("model"), py::arg("batch") = "", py::arg("forwards") = "",
           py::arg("key") = py::none(), WithoutGil())
      .def_property_readonly("kind", [](const Fault& fault) { return std::string(to_string(fault.kind)); })
      .def_readonly("site", &Fault::site)
      .def_property_readonly("location", [](const Fault& fault) { return to_string(fault.location); })
      .def_property_readonly("batch", [](const Fault& fault) { return text_of(fault.batch); })
      .def_property_readonly("model", [](const Fault& fault) { return fault.model->text(); })
      .def_readonly("key", &Fault::key)
      .def_property_readonly("forwards", [](const Fault& fault) { return text_of(fault.forwards); })
      .def(
          "with_key",
          [](const Fault& fault, uint64_t key) {
            Fault other = fault;
            other.key = key;
            return other;
          },
          py::arg("key"))
      .def("__str__", [](const Fault& fault) { return to_string(fault); })
      .def("__repr__", [](const Fault& fault) { return "Fault(" + repr_of(to_string(fault)) + ")"; })
      .def(
          "__eq__", [](const Fault& a, const Fault& b) { return a == b; }, py::is_operator())
      .def("__hash__", [](const Fault& fault) { return py::hash(py::cast(to_string(fault))); });

  m.def(
      "parse_faults", [](const std::string& lines) { return parse_faults(lines); }, py::arg("lines"),
      WithoutGil());
  bind_receipts(m);
}

}  // namespace faultwave::python
