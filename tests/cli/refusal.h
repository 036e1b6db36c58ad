// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {

/// A mistake gives one line on standard error, its exit code, and nothing on standard output.
inline void check_refused(const Result& result, int code, const std::string& part) {
  CAPTURE(result.err);
  CHECK(result.code == code);
  CHECK(result.out.empty());
  CHECK(result.err.rfind("faultwave: ", 0) == 0);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  CHECK(contains(result.err, part));
}

/// The tiny specification with one text replaced.
inline std::string tiny_with(const std::string& old_text, const std::string& new_text) {
  std::string text = tiny_specification;
  return text.replace(text.find(old_text), old_text.size(), new_text);
}

}  // namespace faultwave
