// SPDX-License-Identifier: Apache-2.0
#include "faultwave/planning.h"

#include <cmath>

#include <doctest/doctest.h>

#include "faultwave/interval.h"

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

TEST_CASE(
    "finite population: 1 % at 99 % and the worst case need 16,588 of very many, and never more than all") {
  // z^2 p (1 - p) / e^2 = 2.575829^2 * 0.25 / 0.0001 = 16,587.2...
  CHECK(finite_population_trials(1e15, 0.01, 0.5, 0.99) == 16588);
  // N / (1 + N / n) for N = 16,587: half of it, but for the one that N - 1 leaves out.
  CHECK(finite_population_trials(16587, 0.01, 0.5, 0.99) == 8294);
  CHECK(finite_population_trials(10, 0.01, 0.5, 0.99) == 10);
}

TEST_CASE("the exact count is the least that is enough") {
  for (const double rate : {0.001, 0.05, 0.5}) {
    const int64_t trials = clopper_pearson_trials(0.005, rate, 0.99);
    const auto width_at = [&](int64_t n) {
      return half_width(clopper_pearson(static_cast<int64_t>(std::llround(n * rate)), n, 0.99));
    };
    CAPTURE(rate);
    CHECK(width_at(trials) <= 0.005);
    CHECK(width_at(trials - 2) > 0.004999);
    CHECK(trials > finite_population_trials(1e15, 0.005, rate, 0.99));
  }
}

TEST_CASE("a sequence needs more than a fixed number, within reason") {
  for (const double rate : {0.001, 0.05, 0.5}) {
    const int64_t fixed = clopper_pearson_trials(0.005, rate, 0.99);
    const int64_t sequential = sequential_trials(0.005, rate, 0.99);
    CAPTURE(rate);
    CHECK(sequential > fixed);
    CHECK(sequential < 3 * fixed);
  }
}

TEST_CASE("numbers out of range are refused by name") {
  check_contains(error_of(ErrorCode::usage, [] { clopper_pearson_trials(0, 0.1, 0.99); }),
                 "the half-width is 0");
  check_contains(error_of(ErrorCode::usage, [] { sequential_trials(0.1, 1, 0.99); }),
                 "the expected rate is 1");
  check_contains(error_of(ErrorCode::usage, [] { finite_population_trials(0, 0.1, 0.1, 0.99); }),
                 "population");
}

}  // namespace
}  // namespace faultwave
