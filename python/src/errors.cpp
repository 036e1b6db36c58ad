// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <string>

#include "faultwave/error.h"

#include "bindings.h"
#include "python_call.h"

namespace faultwave::python {
namespace {

const char* class_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return "UsageError";
    case ErrorCode::bad_input:
      return "InputError";
    case ErrorCode::bad_network:
      return "NetworkError";
    case ErrorCode::illegal_fault:
      return "IllegalFaultError";
    case ErrorCode::store:
      return "StoreError";
    case ErrorCode::mismatch:
      return "MismatchError";
  }
  return "Error";
}

/// Sets Python's error, with what happened in the user's Python code as its cause. What interrupted that code
/// interrupts the program.
void set_error(const char* name, const char* message) {
  const py::object cause = take_exception(message);
  if (!cause.is_none() && PyErr_GivenExceptionMatches(cause.ptr(), PyExc_Exception) == 0) {
    PyErr_SetObject(py::type::handle_of(cause).ptr(), cause.ptr());
    return;
  }
  const py::object exception = py::module_::import("faultwave._errors").attr(name)(message);
  exception.attr("__cause__") = cause;
  PyErr_SetObject(py::type::handle_of(exception).ptr(), exception.ptr());
}

}  // namespace

void bind_errors() {
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const UserError& error) {
      set_error(class_of(error.code()), error.what());
    } catch (const InternalError& error) {
      set_error("InternalError", error.what());
    } catch (const Interruption& interruption) {
      forget_exception();
      interruption.restore();
    }
  });
}

}  // namespace faultwave::python
