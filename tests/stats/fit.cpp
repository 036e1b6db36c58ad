// SPDX-License-Identifier: Apache-2.0
#include "faultwave/fit.h"

#include <limits>

#include <doctest/doctest.h>

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using doctest::Approx;

TEST_CASE("FIT is bits in megabits, times upsets, times the rate, at both ends alike") {
  // 5 million FP32 weights are 160 megabits; 600 FIT a megabit are 96,000 upsets, and 1 % of them 960
  // failures.
  const Interval result = fit({.estimate = 0.01, .low = 0.005, .high = 0.02, .confidence = 0.95}, 160e6, 600);
  CHECK(result.estimate == Approx(960));
  CHECK(result.low == Approx(480));
  CHECK(result.high == Approx(1920));
  CHECK(result.confidence == 0.95);
}

TEST_CASE("a megabit may have 2^20 bits") {
  const Interval rate{.estimate = 1, .low = 1, .high = 1};
  CHECK(fit(rate, 1048576, 700, 1048576).estimate == 700);
  CHECK(fit(rate, 1e6, 700, 1048576).estimate == Approx(700 * (1 - 0.0463)).epsilon(1e-3));
}

TEST_CASE("no bits and no upsets give no failures") {
  CHECK(fit({}, 0, 700).high == 0);
  CHECK(fit({}, 1e9, 0).high == 0);
}

TEST_CASE("impossible numbers are refused by name") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  check_contains(error_of(ErrorCode::usage, [] { fit({}, -1, 700); }), "number of bits");
  check_contains(error_of(ErrorCode::usage, [&] { fit({}, 1, nan); }), "FIT per megabit");
  check_contains(error_of(ErrorCode::usage, [] { fit({}, 1, 1, 0); }), "above 0");
  check_contains(error_of(ErrorCode::usage, [] { fit({.low = -0.1}, 1, 1); }), "rate of failures");
}

}  // namespace
}  // namespace faultwave
