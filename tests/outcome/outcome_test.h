// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ATen.h>

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/outcome.h"

namespace faultwave {

inline const float infinity = std::numeric_limits<float>::infinity();
inline const float nan_value = std::numeric_limits<float>::quiet_NaN();

inline at::Tensor scores(std::vector<float> values) {
  return at::tensor(values);
}

/// Whether a criterion fires on the first outputs `golden` and `faulty`.
inline bool fires(std::string_view criterion, const at::Tensor& golden, const at::Tensor& faulty) {
  const std::vector<at::Tensor> a = {golden};
  const std::vector<at::Tensor> b = {faulty};
  return parse_criterion(criterion)->fires({a, b});
}

/// The same for a whole set of outputs.
inline bool fires(std::string_view criterion, const std::vector<at::Tensor>& golden,
                  const std::vector<at::Tensor>& faulty) {
  return parse_criterion(criterion)->fires({golden, faulty});
}

/// The message of the UserError of this code that `function` throws.
template <typename Function>
std::string message_of(ErrorCode code, Function function) {
  try {
    function();
  } catch (const UserError& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  FAIL("nothing was thrown");
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace faultwave
