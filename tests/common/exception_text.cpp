// SPDX-License-Identifier: Apache-2.0
#include "src/common/exception_text.h"

#include <c10/util/Exception.h>

#include <stdexcept>

#include <doctest/doctest.h>

using faultwave::reason_of;

TEST_CASE("of an exception's message one line is kept") {
  CHECK(reason_of(std::runtime_error("out of luck")) == "out of luck");
  CHECK(reason_of(std::runtime_error("out of luck\nand more")) == "out of luck");
  CHECK(reason_of(std::runtime_error("")).empty());
}

TEST_CASE("libtorch's backtrace is left out") {
  try {
    TORCH_CHECK(false, "sizes differ");
  } catch (const std::exception& error) {
    CHECK(reason_of(error) == "sizes differ");
  }
}

TEST_CASE("TorchScript's call stack is left out") {
  const std::runtime_error error(
      "The following operation failed in the TorchScript interpreter.\n"
      "Traceback of TorchScript (most recent call last):\n"
      "RuntimeError: sizes differ\n");
  CHECK(reason_of(error) == "RuntimeError: sizes differ");
}
