// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "faultwave/error_model.h"
#include "faultwave/random.h"

#include "bindings.h"
#include "python_call.h"

namespace faultwave::python {
namespace {

/// What a user's error model in Python is told beside the values.
struct Context {
  VictimContext place;
  Draw draw;
};

/// A function (values, context) -> values.
UserFunction user_function(const Kept& function) {
  return [function](const at::Tensor& values, const VictimContext& place, Draw& draw) {
    return call_within_operator([&] {
      Context context{place, draw};
      const py::object result =
          function.get()(values, py::cast(&context, py::return_value_policy::reference));
      draw = context.draw;
      if (THPVariable_Check(result.ptr())) return result.cast<at::Tensor>();
      const std::string type = py::str(py::type::of(result).attr("__name__"));
      throw std::runtime_error("it must return a tensor, and returned a " + type);
    });
  };
}

ErrorModelPtr make_user_model(const std::string& name, const py::function& function) {
  const UserFunction run = user_function(Kept{function});
  const py::gil_scoped_release
      no_gil;  // a lock is taken, which another thread may hold that waits for the GIL
  register_user_model(name, run);
  return user_model(name, run);
}

}  // namespace

void bind_error_models(py::module_& m) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;

  py::class_<Context>(m, "ErrorContext")
      .def_property_readonly("site", [](const Context& c) { return c.place.site; })
      .def_property_readonly("dtype", [](const Context& c) { return c.place.dtype; })
      .def_property_readonly("int8_scale", [](const Context& c) { return c.place.int8_scale; })
      .def("bits64", [](Context& c) { return c.draw.bits64(); })
      .def("uniform", [](Context& c) { return c.draw.uniform(); })
      .def("normal", [](Context& c) { return c.draw.normal(); })
      .def("below", [](Context& c, uint64_t bound) {
        if (bound == 0) throw py::value_error("below(0): expected a bound of at least 1");
        return c.draw.below(bound);
      });

  py::class_<ErrorModel, std::shared_ptr<ErrorModel>>(m, "ErrorModel")
      .def(py::init([](const std::string& text) {
             return std::const_pointer_cast<ErrorModel>(parse_error_model(text));
           }),
           py::arg("text"), WithoutGil())
      .def_property_readonly("is_drawn", &ErrorModel::is_drawn)
      .def("__str__", &ErrorModel::text)
      .def("__repr__", [](const ErrorModel& model) { return "ErrorModel('" + model.text() + "')"; });

  m.def(
      "user_error_model",
      [](const std::string& name, const py::function& function) {
        return std::const_pointer_cast<ErrorModel>(make_user_model(name, function));
      },
      py::arg("name"), py::arg("function"));
  m.def("error_model_help", [] {
    std::vector<std::pair<std::string, std::string>> help;
    for (const ErrorModelHelp& line : error_model_help())
      help.emplace_back(line.form, line.summary);
    return help;
  });
}

}  // namespace faultwave::python
