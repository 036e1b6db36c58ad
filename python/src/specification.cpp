// SPDX-License-Identifier: Apache-2.0
#include "faultwave/specification.h"

#include <optional>
#include <string>

#include "bindings.h"

namespace faultwave::python {
namespace {

std::optional<std::string> text_or_none(const std::string& text) {
  return text.empty() ? std::nullopt : std::make_optional(text);
}

void bind_parts(py::module_& m) {
  py::class_<StopRule>(m, "StopRule")
      .def(py::init<>())
      .def_readwrite("half_width", &StopRule::half_width)
      .def_readwrite("criteria", &StopRule::criteria)
      .def_readwrite("minutes", &StopRule::minutes);

  py::class_<Preprocess>(m, "Preprocess")
      .def(py::init<>())
      .def_readwrite("resize", &Preprocess::resize)
      .def_readwrite("crop", &Preprocess::crop)
      .def_readwrite("mean", &Preprocess::mean)
      .def_readwrite("std", &Preprocess::std)
      .def_readwrite("is_scaled", &Preprocess::is_scaled);
}

}  // namespace

void bind_specification(py::module_& m) {
  bind_parts(m);
  py::class_<Specification>(m, "Specification")
      .def(py::init<>())
      .def_readwrite("model", &Specification::model)
      .def_readwrite("input", &Specification::input)
      .def_readwrite("labels", &Specification::labels)
      .def_readwrite("engine", &Specification::engine)
      .def_readwrite("audit", &Specification::audit)
      .def_readwrite("device", &Specification::device)
      .def_readwrite("dtype", &Specification::dtype)
      .def_readwrite("preprocess", &Specification::preprocess)
      .def_readwrite("seed", &Specification::seed)
      .def_readwrite("trials", &Specification::trials)
      .def_readwrite("batch", &Specification::batch)
      .def_readwrite("block", &Specification::block)
      .def_readwrite("timeout", &Specification::timeout)
      .def_readwrite("round", &Specification::round)
      .def_readwrite("stop", &Specification::stop)
      .def_readwrite("random_key", &Specification::random_key)
      .def_readwrite("inputs_in_turn", &Specification::inputs_in_turn)
      .def_readwrite("only_right", &Specification::only_right)
      .def_readwrite("criteria", &Specification::criteria)
      .def_readwrite("confidence", &Specification::confidence)
      .def_readwrite("keep", &Specification::keep)
      .def_property(
          "kind", [](const Specification& spec) { return std::string(to_string(spec.kind)); },
          [](Specification& spec, const std::string& kind) { spec.kind = parse_site_kind(kind); })
      .def_readwrite("sites", &Specification::sites)
      .def_readwrite("error", &Specification::error)
      .def_property(
          "draw", [](const Specification& spec) { return std::string(to_string(spec.draw)); },
          [](Specification& spec, const std::string& draw) { spec.draw = parse_draw_rule(draw); })
      .def_property(
          "list", [](const Specification& spec) { return text_or_none(spec.list); },
          [](Specification& spec, const std::string& list) { spec.list = list; })
      .def_readwrite("faults_per_trial", &Specification::faults_per_trial)
      .def_readwrite("calibrate", &Specification::calibrate)
      .def_readwrite("memory_bytes", &Specification::memory_bytes)
      .def("__str__", [](const Specification& spec) { return to_string(spec); });
}

}  // namespace faultwave::python
