// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "bindings.h"

namespace faultwave::python {
namespace {

struct Docstring {
  std::string_view name;  ///< "Class" or "Class.property"
  const char* text;
};

constexpr Docstring docstrings[] = {
#include "docstrings.inc"  // of python/faultwave/_core.pyi
};

}  // namespace

void bind_docstrings(py::module_& m) {
  for (const Docstring& docstring : docstrings) {
    py::object owner = m;
    std::string_view rest = docstring.name;
    for (size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      owner = owner.attr(std::string(rest.substr(0, dot)).c_str());
      rest.remove_prefix(dot + 1);
    }
    owner.attr(std::string(rest).c_str()).attr("__doc__") = docstring.text;
  }
}

}  // namespace faultwave::python
