// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "bindings.h"

namespace faultwave::python {

/// What stops a program rather than going wrong in it, KeyboardInterrupt and SystemExit: no std::exception,
/// so that nobody takes it for what a fault did.
class Interruption {
 public:
  explicit Interruption(py::error_already_set error)
      : error_(std::make_shared<py::error_already_set>(std::move(error))) {}
  /// Makes it Python's current error again. The GIL must be held.
  void restore() const { error_->restore(); }

 private:
  std::shared_ptr<py::error_already_set> error_;
};

/// A Python object that C++ keeps, and may copy and drop without holding the GIL.
class Kept {
 public:
  /// The GIL must be held.
  explicit Kept(py::object object)
      : object_(new py::object(std::move(object)), [](py::object* kept) {
          const py::gil_scoped_acquire gil;
          delete kept;
        }) {}
  /// The GIL must be held to use it.
  const py::object& get() const { return *object_; }
  bool is_none() const { return object_->ptr() == Py_None; }

 private:
  std::shared_ptr<py::object> object_;
};

/// The last exception that a call of call_python() ended with, to be the cause of what comes of it; None if
/// there was none. Forgets it. The GIL must be held.
py::object take_exception();

/// Forgets it.
void forget_exception();

/// Rethrows a Python error as what C++ code can tell apart: an Interruption; or a std::runtime_error that
/// says "ValueError: ...", while take_exception() has the exception itself. The GIL must be held.
[[noreturn]] void rethrow(py::error_already_set& error);

/// Calls a function that uses Python, from any thread, with or without the GIL.
template <typename Function>
auto call_python(Function&& function) {
  const py::gil_scoped_acquire gil;
  try {
    return std::forward<Function>(function)();
  } catch (py::error_already_set& error) {
    rethrow(error);
  }
}

/// Keeps the exception for take_exception().
void remember_exception(const py::error_already_set& error);

/// Likewise where an operator that Python called may be under way, which passes Python's own errors alone. An
/// interruption is remembered, so that it goes on where somebody makes an error of ours of it (errors.cpp).
template <typename Function>
auto call_below_torch(Function&& function) {
  const py::gil_scoped_acquire gil;
  try {
    return std::forward<Function>(function)();
  } catch (py::error_already_set& error) {
    if (error.matches(PyExc_Exception)) rethrow(error);
    remember_exception(error);
    throw;
  }
}

/// Throws an Interruption if Python has a signal to handle, such as that of Ctrl-C, whose handler raises.
/// Takes the GIL.
void check_signals();

}  // namespace faultwave::python
