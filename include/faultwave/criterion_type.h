// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "faultwave/arguments.h"
#include "faultwave/outcome.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// A criterion that a text can name.
struct CriterionType {
  std::string name;  ///< also what Criterion::name() must return
  std::vector<Parameter> parameters{};
  /// Makes the criterion. Its text() must be Arguments::text().
  std::function<CriterionPtr(const Arguments& arguments)> make{};
};

}  // namespace faultwave
#pragma GCC visibility pop
