// SPDX-License-Identifier: Apache-2.0
#include "faultwave/allocation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using doctest::Approx;

TEST_CASE("many trials give each stratum its own rate") {
  const std::vector<double> rates = pooled_rates({{100'000, 100}, {100'000, 30'000}, {100'000, 99'000}});
  CHECK(rates[0] == Approx(0.001).epsilon(0.2));
  CHECK(rates[1] == Approx(0.3).epsilon(0.2));
  CHECK(rates[2] == Approx(0.99).epsilon(0.02));
}

TEST_CASE("strata with few trials borrow from those that resemble them") {
  // Fifty strata without an event in 200 trials each: together they had none in 10,000.
  std::vector<StratumTotal> totals(50, StratumTotal{200, 0});
  const double alone = pooled_rates({{200, 0}})[0];
  CHECK(pooled_rates(totals)[0] < alone / 2);
  // Ten of rate one half among them do not spoil that, and are told apart.
  totals.insert(totals.end(), 10, StratumTotal{20, 10});
  const std::vector<double> rates = pooled_rates(totals);
  CHECK(rates.front() < 1e-3);
  CHECK(rates.back() == Approx(0.5).epsilon(0.2));
}

TEST_CASE("a stratum without trials has the rate of its kind, where kinds are named") {
  std::vector<StratumTotal> totals(20, StratumTotal{500, 0});
  std::vector<size_t> kinds(20, 0);
  totals.insert(totals.end(), 20, StratumTotal{500, 150});
  kinds.insert(kinds.end(), 20, 1);
  totals.insert(totals.end(), 2, StratumTotal{});
  kinds.insert(kinds.end(), {0, 1});
  const std::vector<double> rates = pooled_rates(totals, kinds);
  CHECK(rates[40] < 0.03);
  CHECK(rates[41] > 0.2);
  CHECK(pooled_rates(totals)[40] == pooled_rates(totals)[41]);
}

TEST_CASE("before any trial five per cent are expected, and no rate is ever 0 or 1") {
  CHECK(pooled_rates({{}, {}}) == std::vector<double>{0.05, 0.05});
  const std::vector<double> rates = pooled_rates({{1'000'000'000, 0}, {1'000'000'000, 1'000'000'000}});
  CHECK(rates[0] > 0);
  CHECK(rates[1] < 1);
}

/// Half-width that a sequence can reach with given shares, were there only variance: what Neyman's make
/// least.
double variance(const std::vector<double>& weights, const std::vector<double>& rates,
                const std::vector<double>& shares) {
  double variance = 0;
  for (size_t h = 0; h < weights.size(); ++h)
    variance += weights[h] * weights[h] / shares[h] * rates[h] * (1 - rates[h]);
  return variance;
}

TEST_CASE("where events abound, shares are Neyman's") {
  const std::vector<double> weights = {0.5, 0.3, 0.2};
  const std::vector<double> rates = {0.5, 0.1, 0.02};
  const std::vector<double> shares = best_shares(weights, rates, {.half_width = 0.002});
  const double sum = 0.5 * 0.5 + 0.3 * 0.3 + 0.2 * 0.14;
  CHECK(shares[0] == Approx(0.25 / sum).epsilon(1e-9));
  CHECK(shares[1] == Approx(0.09 / sum).epsilon(1e-9));
  CHECK(shares[2] == Approx(0.028 / sum).epsilon(1e-9));
  CHECK(variance(weights, rates, shares) == Approx(sum * sum).epsilon(1e-9));
  // n = 2 (log(2 / alpha) - log of the target's part) variance / half-width^2.
  CHECK(expected_trials(weights, rates, shares, {.half_width = 0.002}) ==
        Approx(2 * (std::log(200) - std::log(0.8)) * sum * sum / 4e-6).epsilon(1e-6));
}

TEST_CASE("where nothing was seen, the share covers what may hide: less for a coarser interval") {
  const std::vector<double> weights = {0.75, 0.25};
  const std::vector<double> rates = {1e-7, 0.2};
  const double fine = best_shares(weights, rates, {.half_width = 2e-3})[0];
  const double coarse = best_shares(weights, rates, {.half_width = 2e-2})[0];
  CHECK(fine > 0.005);
  CHECK(coarse > 2 * fine);  // the fewer the trials, the more a stratum without events weighs
  // No other share does better, by the formula that they are chosen by.
  const auto needed = [&](double share) {
    return expected_trials(weights, rates, {share, 1 - share}, {.half_width = 2e-3});
  };
  for (const double share : {fine / 2, fine / 1.5, fine * 1.5, fine * 2})
    CHECK(needed(fine) < needed(share));
}

TEST_CASE("without a half-width, the planned trials are the target") {
  const std::vector<double> weights = {0.75, 0.25};
  const std::vector<double> rates = {1e-7, 0.2};
  CHECK(best_shares(weights, rates, {.trials = 1'000})[0] >
        best_shares(weights, rates, {.trials = 1'000'000})[0]);
  CHECK(best_shares(weights, rates, {}) == best_shares(weights, rates, {.trials = 100'000}));
}

TEST_CASE("of several outcomes the slowest decides") {
  const std::vector<double> weights = {0.5, 0.5};
  const SequenceTarget target{.half_width = 0.001};
  const std::vector<double> first = {0.3, 0.001};
  const std::vector<double> second = {0.001, 0.3};
  const std::vector<double> both = best_shares_of_all(weights, {first, second}, target);
  CHECK(both[0] == Approx(0.5).epsilon(1e-6));
  // One that is far easier changes nothing.
  const std::vector<double> easy = {1e-4, 1e-4};
  const auto needed = [&](const std::vector<double>& shares) {
    return expected_trials(weights, first, shares, target);
  };
  CHECK(needed(best_shares_of_all(weights, {first, easy}, target)) ==
        Approx(needed(best_shares(weights, first, target))).epsilon(0.01));
  CHECK(best_shares_of_all(weights, {first}, target) == best_shares(weights, first, target));
}

TEST_CASE("shares are a distribution over the strata of weight") {
  const std::vector<double> shares = best_shares({0.4, 0, 0.6}, {0.1, 0.5, 0}, {.half_width = 0.01});
  CHECK(std::accumulate(shares.begin(), shares.end(), 0.0) == Approx(1));
  CHECK(shares[1] == 0);
  CHECK(shares[2] > 0);
  const std::vector<double> hopeless = best_shares({0.4, 0.6}, {0, 0}, {.half_width = 0.01});
  CHECK(hopeless[0] == Approx(0.4));
}

TEST_CASE("what makes no sense is refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto message = [](const auto& function) { return error_of(ErrorCode::usage, function); };
  check_contains(message([] { pooled_rates({{3, 4}}); }), "4 events in 3");
  check_contains(message([] { pooled_rates({{3, 1}}, {1, 2}); }), "kinds of 2 strata for 1");
  check_contains(message([] { best_shares({}, {}, {}); }), "one at least");
  check_contains(message([] { best_shares({1.0}, {0.1, 0.2}, {}); }), "rates of 2 strata for 1");
  check_contains(message([&] { best_shares({1.0}, {nan}, {}); }), "expected 0 to 1");
  check_contains(message([] { best_shares({-1.0}, {0.5}, {}); }), "expected 0 or more");
  check_contains(message([] { best_shares({1.0}, {0.5}, {.confidence = 2}); }), "between 0 and 1");
  check_contains(message([] { best_shares_of_all({1.0}, {}, {}); }), "no outcome");
  check_contains(message([] { expected_trials({1.0}, {0.5}, {1.0}, {}); }), "half-width above 0");
  check_contains(message([] { expected_trials({1.0}, {0.5}, {0.0}, {.half_width = 0.1}); }),
                 "without a share");
}

}  // namespace
}  // namespace faultwave
