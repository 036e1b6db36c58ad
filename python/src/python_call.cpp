// SPDX-License-Identifier: Apache-2.0
#include "python_call.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace faultwave::python {
namespace {

struct Remembered {
  py::object exception;
  std::string text;
};

// Of each thread: what went wrong in a call belongs to whoever made it.
Remembered& remembered() {
  static thread_local auto* const exception = new Remembered;  // outlives the interpreter where threads do
  return *exception;
}

bool is_interruption(const py::object& exception) {
  return exception && !exception.is_none() && !py::isinstance(exception, PyExc_Exception);
}

}  // namespace

py::object take_exception(const std::string& message) {
  Remembered last = std::exchange(remembered(), {});
  const bool is_told_of = last.exception && message.find(last.text) != std::string::npos;
  return is_told_of ? last.exception : py::none();
}

void rethrow_as_text(py::error_already_set& error) {
  const std::string name = py::str(error.type().attr("__name__"));
  const std::string message = py::str(error.value());
  const std::string text = message.empty() ? name : name + ": " + message;
  remembered() = {error.value(), text};
  throw std::runtime_error(text);
}

void forget_exception() {
  remembered() = {};
}

void rethrow(py::error_already_set& error) {
  if (!error.matches(PyExc_Exception)) throw Interruption(std::move(error));
  // An operator in between has made another exception of it. It stays remembered, since somebody on the way
  // may throw what the operator's handler threw.
  const py::object last = remembered().exception;
  if (is_interruption(last)) {
    PyErr_SetObject(py::type::handle_of(last).ptr(), last.ptr());
    throw Interruption(py::error_already_set());
  }
  rethrow_as_text(error);
}

void check_signals() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw Interruption(py::error_already_set());
}

}  // namespace faultwave::python
