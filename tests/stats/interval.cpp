// SPDX-License-Identifier: Apache-2.0
#include "faultwave/interval.h"

#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "faultwave/error.h"

namespace faultwave {
namespace {

using doctest::Approx;

/// log of the probability of exactly k events in n trials.
long double log_binomial(int64_t k, int64_t n, long double p) {
  return lgammal(n + 1.0L) - lgammal(k + 1.0L) - lgammal(n - k + 1.0L) + k * logl(p) + (n - k) * log1pl(-p);
}

/// Probability of at most k events, term by term. Terms beyond 50 standard deviations are too small to count.
long double at_most(int64_t k, int64_t n, long double p) {
  long double sum = 0;
  for (int64_t i = k; i >= 0; --i) {
    const long double term = expl(log_binomial(i, n, p));
    sum += term;
    if (i < p * n && term < sum * 1e-22L) break;
  }
  return sum;
}

/// Probability of at least k events. Above the mean the terms themselves, which may be tiny; below it the
/// complement, which has few terms where k is small and loses nothing since it is under one half.
long double at_least(int64_t k, int64_t n, long double p) {
  if (k < p * n) return 1 - at_most(k - 1, n, p);
  long double sum = 0;
  for (int64_t i = k; i <= n; ++i) {
    const long double term = expl(log_binomial(i, n, p));
    sum += term;
    if (term < sum * 1e-22L) break;
  }
  return sum;
}

/// The p at which a function that grows with p reaches `target`.
template <typename Function>
double solve_rising(Function function, long double target) {
  long double low = 0;
  long double high = 1;
  for (int step = 0; step < 200; ++step) {
    const long double middle = (low + high) / 2;
    (function(middle) < target ? low : high) = middle;
  }
  return static_cast<double>(low);
}

/// Clopper and Pearson's own definition: the values of p that the tails of the binomial distribution do not
/// reject.
Interval by_definition(int64_t k, int64_t n, double confidence) {
  const long double tail = (1.0L - confidence) / 2;
  Interval interval{.confidence = confidence};
  interval.low = k == 0 ? 0 : solve_rising([&](long double p) { return at_least(k, n, p); }, tail);
  interval.high = k == n ? 1 : solve_rising([&](long double p) { return -at_most(k, n, p); }, -tail);
  return interval;
}

TEST_CASE("Clopper-Pearson agrees with published values") {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 5, 95 %.
  struct Row {
    int64_t count, trials;
    double low, high;
  };
  for (const Row& row : {Row{81, 263, 0.2527, 0.3676}, Row{15, 148, 0.0578, 0.1617}, Row{0, 20, 0.0, 0.1684},
                         Row{1, 29, 0.0009, 0.1776}}) {
    CAPTURE(row.count);
    const Interval interval = clopper_pearson(row.count, row.trials, 0.95);
    CHECK(std::abs(interval.low - row.low) <= 0.5e-4);
    CHECK(std::abs(interval.high - row.high) <= 0.5e-4);
  }
}

TEST_CASE("Wilson agrees with published values") {
  // Newcombe, same table, method 3, 95 %.
  struct Row {
    int64_t count, trials;
    double low, high;
  };
  for (const Row& row : {Row{81, 263, 0.2553, 0.3662}, Row{15, 148, 0.0624, 0.1605}, Row{0, 20, 0.0, 0.1611},
                         Row{1, 29, 0.0061, 0.1718}}) {
    CAPTURE(row.count);
    const Interval interval = wilson(row.count, row.trials, 0.95);
    CHECK(std::abs(interval.low - row.low) <= 0.5e-4);
    CHECK(std::abs(interval.high - row.high) <= 0.5e-4);
  }
}

TEST_CASE("Clopper-Pearson solves the binomial tails") {
  for (const double confidence : {0.5, 0.95, 0.99, 0.9999}) {
    for (const int64_t trials : {1, 2, 7, 100, 2000}) {
      for (const int64_t count : {int64_t{0}, int64_t{1}, trials / 3, trials - 1, trials}) {
        CAPTURE(confidence);
        CAPTURE(trials);
        CAPTURE(count);
        const Interval interval = clopper_pearson(count, trials, confidence);
        const Interval expected = by_definition(count, trials, confidence);
        CHECK(interval.low == Approx(expected.low).epsilon(1e-10));
        CHECK(interval.high == Approx(expected.high).epsilon(1e-10));
        CHECK(interval.estimate == static_cast<double>(count) / static_cast<double>(trials));
        CHECK(interval.confidence == confidence);
      }
    }
  }
}

TEST_CASE("a hundred million trials") {
  constexpr int64_t trials = 100'000'000;
  SUBCASE("few events: the tails of the binomial distribution") {
    const Interval interval = clopper_pearson(37, trials, 0.99);
    const Interval expected = by_definition(37, trials, 0.99);
    CHECK(interval.low == Approx(expected.low).epsilon(1e-8));
    CHECK(interval.high == Approx(expected.high).epsilon(1e-8));
  }
  SUBCASE("no event: 1 - (alpha / 2)^(1 / n)") {
    const Interval interval = clopper_pearson(0, trials, 0.99);
    CHECK(interval.low == 0.0);
    CHECK(interval.high == Approx(5.298317366548036e-08 - 1.403608e-15).epsilon(1e-12));
  }
  SUBCASE("nothing but events mirrors none") {
    const Interval interval = clopper_pearson(trials, trials, 0.99);
    CHECK(interval.high == 1.0);
    CHECK(1 - interval.low == Approx(5.298317226187e-08).epsilon(1e-7));
  }
  SUBCASE("half of them: the normal approximation") {
    const double half_width = 2.5758293035489004 * 0.5 / 1e4;
    for (const Interval& interval : {clopper_pearson(trials / 2, trials), wilson(trials / 2, trials)}) {
      CHECK(interval.estimate == 0.5);
      CHECK(0.5 - interval.low == Approx(half_width).epsilon(1e-3));
      CHECK(interval.high - 0.5 == Approx(half_width).epsilon(1e-3));
    }
  }
}

TEST_CASE("Wilson's bounds are the roots of its score test") {
  const double z = 2.5758293035489004;  // normal quantile of 0.995
  for (const int64_t count : {1, 40, 399}) {
    const Interval interval = wilson(count, 400, 0.99);
    for (const double bound : {interval.low, interval.high}) {
      const double score = (count / 400.0 - bound) / std::sqrt(bound * (1 - bound) / 400);
      CHECK(std::abs(score) == Approx(z).epsilon(1e-9));
    }
  }
  CHECK(wilson(0, 400).low == 0.0);
  CHECK(wilson(400, 400).high == 1.0);
  CHECK(wilson(0, 400).high == Approx(z * z / (400 + z * z)).epsilon(1e-12));
}

TEST_CASE("swapping events and others mirrors the interval") {
  for (const int64_t count : {0, 3, 50, 100}) {
    const Interval a = clopper_pearson(count, 100, 0.9);
    const Interval b = clopper_pearson(100 - count, 100, 0.9);
    CHECK(a.low == Approx(1 - b.high).epsilon(1e-12));
    CHECK(a.high == Approx(1 - b.low).epsilon(1e-12));
  }
}

TEST_CASE("the half-width is half of the length") {
  CHECK(half_width({.estimate = 0.1, .low = 0.0, .high = 0.5}) == 0.25);
  CHECK(half_width(clopper_pearson(0, 0)) == 0.5);
}

TEST_CASE("no trials tell nothing") {
  for (const Interval& interval : {clopper_pearson(0, 0, 0.95), wilson(0, 0, 0.95)}) {
    CHECK(interval.estimate == 0.0);
    CHECK(interval.low == 0.0);
    CHECK(interval.high == 1.0);
    CHECK(interval.confidence == 0.95);
  }
}

/// The message of the UserError(usage) that `function` throws, or "".
template <typename Function>
std::string usage_message(Function function) {
  try {
    function();
  } catch (const UserError& error) {
    CHECK(error.code() == ErrorCode::usage);
    return error.what();
  }
  return "";
}

TEST_CASE("impossible arguments are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (auto* interval : {&clopper_pearson, &wilson}) {
    CHECK(usage_message([&] { interval(-1, 10, 0.9); }).find("-1 events in 10 trials") != std::string::npos);
    CHECK(usage_message([&] { interval(11, 10, 0.9); }).find("11 events in 10 trials") != std::string::npos);
    CHECK(usage_message([&] { interval(0, -1, 0.9); }) != "");
    for (const double confidence : {0.0, 1.0, -0.5, 99.0, nan}) {
      CHECK(usage_message([&] { interval(1, 10, confidence); }).find("between 0 and 1") != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace faultwave
