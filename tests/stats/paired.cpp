// SPDX-License-Identifier: Apache-2.0
#include "faultwave/paired.h"

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using doctest::Approx;

TEST_CASE("McNemar's exact p-value is twice the smaller binomial tail") {
  // (1 + 7) of 2^7 sequences have at most one of seven pairs on this side.
  CHECK(mcnemar_p_value({.first_only = 1, .second_only = 6}) == Approx(2 * 8.0 / 128).epsilon(1e-12));
  CHECK(mcnemar_p_value({.first_only = 6, .second_only = 1}) == Approx(2 * 8.0 / 128).epsilon(1e-12));
  CHECK(mcnemar_p_value({.first_only = 10}) == Approx(2.0 / 1024).epsilon(1e-12));
  CHECK(mcnemar_p_value({.first_only = 4, .second_only = 4}) == 1);
  // 1 + 5 + 10 of 32, doubled, is 1 exactly.
  CHECK(mcnemar_p_value({.first_only = 2, .second_only = 3}) == Approx(1).epsilon(1e-12));
}

TEST_CASE("pairs that agree say nothing about whether the rates differ") {
  CHECK(mcnemar_p_value({.both = 1000, .first_only = 3, .second_only = 9, .neither = 100000}) ==
        mcnemar_p_value({.first_only = 3, .second_only = 9}));
  CHECK(mcnemar_p_value({.both = 5, .neither = 5}) == 1);
}

TEST_CASE("the p-value is as small as a with a probability of at most a") {
  for (int pairs = 1; pairs <= 30; ++pairs) {
    for (const double a : {0.01, 0.05, 0.2}) {
      double probability = 0;
      for (int first = 0; first <= pairs; ++first) {
        if (mcnemar_p_value({.first_only = first, .second_only = pairs - first}) > a) continue;
        probability += std::exp(std::lgamma(pairs + 1) - std::lgamma(first + 1) -
                                std::lgamma(pairs - first + 1) - pairs * std::log(2.0));
      }
      CHECK(probability <= a);
    }
  }
}

/// Probability that the interval holds the true difference, over all outcomes of so many pairs.
double coverage(int pairs, double first, double second, double confidence) {
  double covered = 0;
  for (int a = 0; a <= pairs; ++a) {
    for (int b = 0; a + b <= pairs; ++b) {
      const Interval interval =
          paired_difference({.first_only = a, .second_only = b, .neither = pairs - a - b}, confidence);
      if (interval.low > first - second || interval.high < first - second) continue;
      const int rest = pairs - a - b;
      covered +=
          std::exp(std::lgamma(pairs + 1) - std::lgamma(a + 1) - std::lgamma(b + 1) - std::lgamma(rest + 1)) *
          std::pow(first, a) * std::pow(second, b) * std::pow(1 - first - second, rest);
    }
  }
  return covered;
}

TEST_CASE("the interval of a difference covers as stated, by enumeration of all outcomes") {
  for (const double confidence : {0.8, 0.95}) {
    for (const int pairs : {1, 5, 17}) {
      for (const double first : {0.0, 0.01, 0.1, 0.3, 0.5}) {
        for (const double second : {0.0, 0.02, 0.2, 0.5}) {
          CAPTURE(pairs);
          CAPTURE(first);
          CAPTURE(second);
          CHECK(coverage(pairs, first, second, confidence) >= confidence);
        }
      }
    }
  }
}

TEST_CASE("without pairs that differ the ends are the bounds of how many may") {
  const Interval interval = paired_difference({.both = 40, .neither = 960}, 0.98);
  // 1 - (0.01 / 2)^(1 / 1000): the upper end of no events in a thousand at 99 %.
  const double bound = -std::expm1(std::log(0.005) / 1000);
  CHECK(interval.estimate == 0);
  CHECK(interval.high == Approx(bound).epsilon(1e-12));
  CHECK(interval.low == Approx(-bound).epsilon(1e-12));
  CHECK(interval.confidence == 0.98);
}

TEST_CASE("swapping the networks mirrors the interval, and large samples are near the normal one") {
  const Interval a =
      paired_difference({.both = 70, .first_only = 300, .second_only = 500, .neither = 99'130});
  const Interval b =
      paired_difference({.both = 70, .first_only = 500, .second_only = 300, .neither = 99'130});
  CHECK(a.estimate == -0.002);
  CHECK(a.low == Approx(-b.high).epsilon(1e-9));
  CHECK(a.high == Approx(-b.low).epsilon(1e-9));
  const double normal = 2.5758 * std::sqrt(800 - 200.0 * 200 / 100'000) / 100'000;
  CHECK(half_width(a) > normal);
  CHECK(half_width(a) < 1.4 * normal);
}

TEST_CASE("no pairs tell nothing, and counts that are none are refused") {
  const Interval interval = paired_difference({});
  CHECK(interval.low == -1);
  CHECK(interval.high == 1);
  check_contains(error_of(ErrorCode::usage, [] { paired_difference({.both = -2}); }), "-2 pairs");
  check_contains(error_of(ErrorCode::usage, [] { mcnemar_p_value({.first_only = -1}); }), "-1 pairs");
  check_contains(error_of(ErrorCode::usage, [] { paired_difference({}, 1.0); }), "between 0 and 1");
}

}  // namespace
}  // namespace faultwave
