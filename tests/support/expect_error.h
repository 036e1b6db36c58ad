// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "faultwave/error.h"

namespace faultwave {

/// The message of the UserError that `function` throws; fails the test unless one with `code` is thrown.
template <typename Function>
std::string error_of(ErrorCode code, Function function) {
  try {
    function();
  } catch (const UserError& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  FAIL_CHECK("no UserError was thrown");
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Fails the test, showing both, unless `text` contains `part`.
inline void check_contains(const std::string& text, const std::string& part) {
  INFO("text: ", text);
  INFO("expected part: ", part);
  CHECK(contains(text, part));
}

}  // namespace faultwave
