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
          if (Py_IsInitialized() == 0) return;  // what statics hold outlives Python
          const py::gil_scoped_acquire gil;
          delete kept;
        }) {}
  /// The GIL must be held to use it.
  const py::object& get() const { return *object_; }
  bool is_none() const { return object_->ptr() == Py_None; }

 private:
  std::shared_ptr<py::object> object_;
};

/// The last exception of Python's on this thread that became a C++ exception, if `message` tells of it; else
/// None. Forgets it. The GIL must be held.
py::object take_exception(const std::string& message);

/// Forgets it. The GIL must be held.
void forget_exception();

/// Throws a std::runtime_error that says "ValueError: ...", while take_exception() has the exception itself.
/// The GIL must be held.
[[noreturn]] void rethrow_as_text(py::error_already_set& error);

/// Likewise, or an Interruption.
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

/// Likewise for an error model, which runs within an operator that Python may have called and that passes no
/// Interruption: one comes out as text as well, and where that reaches Python it is an interruption again.
template <typename Function>
auto call_within_operator(Function&& function) {
  const py::gil_scoped_acquire gil;
  try {
    return std::forward<Function>(function)();
  } catch (py::error_already_set& error) {
    rethrow_as_text(error);
  }
}

/// Throws an Interruption if Python has a signal to handle, such as that of Ctrl-C, whose handler raises.
/// Takes the GIL.
void check_signals();

}  // namespace faultwave::python
