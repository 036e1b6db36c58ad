// SPDX-License-Identifier: Apache-2.0
// Number formats that a program registers.
#include <torch/types.h>

#include <cmath>

#include <doctest/doctest.h>

#include "faultwave/extension.h"
#include "faultwave/random.h"

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

/// Unsigned, in quarters: 0 to 3.75 in four bits. Encoding leaves a bit above the word, which must not
/// matter.
NumberFormat quarters(const std::string& name) {
  return {.name = name,
          .bits = 4,
          .encode = [](double value, double) { return static_cast<uint64_t>(value * 4) | 0x100; },
          .decode = [](uint64_t word, double) { return static_cast<double>(word) / 4; }};
}

std::string refused(NumberFormat format) {
  return error_of(ErrorCode::usage, [&] { extensions().add(std::move(format)); });
}

TEST_CASE("a registered format is flipped as a built-in one is") {
  extensions().add(quarters("test.quarters"));
  const ErrorModelPtr model = parse_error_model("flip(test.quarters:3)");
  CHECK(model->text() == "flip(test.quarters:3)");
  CHECK(model->bit_change() == BitChange{BitChange::Kind::flip, 3, "test.quarters"});
  at::Tensor values = torch::tensor({0.5f, 2.75f});
  Draw draw(0);
  model->apply(values, {"a", at::kFloat, {}}, draw);
  CHECK(values.equal(torch::tensor({2.5f, 0.75f})));
  CHECK(parse_error_model("flip(test.quarters)")->choices({"a", at::kFloat, {}}).size() == 4);
  check_contains(error_of(ErrorCode::illegal_fault,
                          [] { parse_error_model("flip(test.quarters:4)")->check({"a", at::kFloat, {}}); }),
                 "the bits of test.quarters are 0 (lowest) to 3");
  check_contains(error_of(ErrorCode::usage, [] { parse_error_model("flip(test.quarters:3,scale=2)"); }),
                 "takes no scale");
}

TEST_CASE("a format with a scale is calibrated like int8") {
  NumberFormat format = quarters("test.scaled");
  format.needs_scale = true;
  format.encode = [](double value, double scale) { return static_cast<uint64_t>(value / scale); };
  format.decode = [](uint64_t word, double scale) { return static_cast<double>(word) * scale; };
  extensions().add(std::move(format));
  const ErrorModelPtr model = parse_error_model("flip(test.scaled:0)");
  CHECK(model->needs_scale());
  check_contains(error_of(ErrorCode::illegal_fault, [&] { model->check({"a", at::kFloat, {}}); }),
                 "calibrate it, or give one as in flip(test.scaled:3,scale=0.05)");
  at::Tensor values = torch::tensor({1.5f});
  Draw draw(0);
  model->apply(values, {"a", at::kFloat, 0.5}, draw);
  CHECK(values.item<float>() == 1.0f);
  CHECK(model->resolve({"a", at::kFloat, 0.5}, draw)->text() == "flip(test.scaled:0,scale=0.5)");
}

TEST_CASE("formats that cannot be registered") {
  extensions().add(quarters("test.there"));
  for (const char* name : {"int8", "fixed8.4", "test.there"})
    check_contains(refused(quarters(name)), "there is one of this name already");
  check_contains(refused(quarters("8bit")), "cannot name a number format");
  NumberFormat wide = quarters("test.wide");
  wide.bits = 65;
  check_contains(refused(wide), "it has words of 65 bits; expected 1 to 64");
  NumberFormat half = quarters("test.half");
  half.decode = nullptr;
  check_contains(refused(half), "encode or decode is missing");
  check_contains(error_of(ErrorCode::usage, [] { format_flip("test.thre"); }), "test.there, ");
}

}  // namespace
}  // namespace faultwave
