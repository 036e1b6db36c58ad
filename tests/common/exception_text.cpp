// SPDX-License-Identifier: Apache-2.0
#include "src/common/exception_text.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>
#include <torch/script.h>

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

TEST_CASE("a raise of TorchScript is recorded with its type and message") {
  torch::jit::Module network("Net");
  network.define(R"(
def forward(self, x):
    if bool(x.sum() < -1.0):
        assert False, "the sum is too small"
    return torch.mm(x, x)
)");
  const auto reason = [&](const at::Tensor& x) -> std::string {
    try {
      network.forward({x});
    } catch (const std::exception& error) {
      return reason_of(error);
    }
    return "nothing was thrown";
  };
  const torch::jit::JITException raised(
      "The following operation failed in the TorchScript interpreter.\nTraceback", "builtins.ValueError",
      "the sum is too large");
  CHECK(reason_of(raised) == "ValueError: the sum is too large");
  CHECK(reason(-torch::ones({2, 2})) == "AssertionError: the sum is too small");
  const std::string of_operator = reason(torch::zeros({2, 3}));
  CHECK(of_operator.rfind("RuntimeError: mat1 and mat2 shapes cannot be multiplied", 0) == 0);
}

TEST_CASE("a reason is one printable line of bounded length") {
  CHECK(reason_of(std::runtime_error("\nunknown type\n  here")) == "unknown type");
  CHECK(reason_of(std::runtime_error("\x1b[31mred")) == "\\x1b[31mred");
  CHECK(reason_of(std::runtime_error(std::string(30'000, '1'))).size() <= 1000);
}
