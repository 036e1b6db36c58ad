// SPDX-License-Identifier: Apache-2.0
#include "python_call.h"

#include <stdexcept>
#include <string>

namespace faultwave::python {
namespace {

// Of each thread: what went wrong in a call belongs to whoever made it.
py::object& last_exception() {
  static thread_local auto* const exception = new py::object;  // outlives the interpreter where threads do
  return *exception;
}

bool is_interruption(const py::object& exception) {
  return exception && !exception.is_none() && !py::isinstance(exception, PyExc_Exception);
}

/// "ValueError: ...".
std::string text_of(const py::error_already_set& error) {
  const std::string name = py::str(error.type().attr("__name__"));
  const std::string message = py::str(error.value());
  return message.empty() ? name : name + ": " + message;
}

}  // namespace

py::object take_exception() {
  py::object exception = std::move(last_exception());
  last_exception() = py::object();
  return exception ? exception : py::none();
}

void forget_exception() {
  last_exception() = py::object();
}

void remember_exception(const py::error_already_set& error) {
  last_exception() = error.value();
}

void rethrow(py::error_already_set& error) {
  if (!error.matches(PyExc_Exception)) throw Interruption(std::move(error));
  if (is_interruption(last_exception())) {  // of which an operator in between has made another exception
    const py::object& interruption = last_exception();
    PyErr_SetObject(py::type::handle_of(interruption).ptr(), interruption.ptr());
    throw Interruption(py::error_already_set());
  }
  remember_exception(error);
  throw std::runtime_error(text_of(error));
}

void check_signals() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw Interruption(py::error_already_set());
}

}  // namespace faultwave::python
