// SPDX-License-Identifier: Apache-2.0
#include "faultwave/weighted_sequence.h"

#include <cmath>
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

double width(const Interval& interval) {
  return interval.high - interval.low;
}

TEST_CASE("before the first trial nothing is known") {
  const Interval interval = WeightedSequence({}).interval();
  CHECK(interval.low == 0);
  CHECK(interval.high == 1);
}

TEST_CASE("no events: the upper end falls as one over the number of trials, within reach of the exact one") {
  for (const int64_t trials : {1'000, 100'000}) {
    WeightedSequence sequence({.confidence = 0.99, .trials = trials});
    sequence.add({{.trials = trials}});
    const Interval interval = sequence.interval();
    CAPTURE(trials);
    CHECK(interval.low == 0);
    CHECK(interval.estimate == 0);
    const double exact = clopper_pearson(0, trials, 0.99).high;
    CHECK(interval.high > exact);  // it is valid at all times, so it must be wider
    CHECK(interval.high < 2 * exact);
  }
}

TEST_CASE("all events mirror none") {
  WeightedSequence all({});
  all.add({{.trials = 500, .events = 500}});
  WeightedSequence none({});
  none.add({{.trials = 500}});
  CHECK(all.interval().high == 1);
  CHECK(all.interval().low == doctest::Approx(1 - none.interval().high).epsilon(1e-6));
}

TEST_CASE("an end is where the mixture's wealth reaches 2 / alpha, worked out for one round") {
  // One stratum, no events: Z = 0, so each purse of the gambler on low Z grows by 1 + b m at a trial.
  constexpr int64_t kTrials = 4096;
  WeightedSequence sequence({.confidence = 0.95, .half_width = 0.01});
  sequence.add({{.trials = kTrials}});
  const double variance = 0.25;  // the largest, expected before any trial
  const auto wealth = [&](double m) {
    double sum = 0.8 * std::pow(1 + std::min(0.01 / variance, 0.9) * m, kTrials);
    for (int j = 0; j < 12; ++j)
      sum += 0.2 / 12 * std::pow(1 + std::min(0.25 / std::pow(3.0, j) / variance, 0.9) * m, kTrials);
    return sum;
  };
  CHECK(wealth(sequence.interval().high) == doctest::Approx(2 / 0.05).epsilon(1e-6));
}

TEST_CASE("the estimate of one stratum is events / trials, whatever was guessed") {
  WeightedSequence sequence({.half_width = 0.01});
  sequence.add({{.trials = 1000, .events = 3}});
  sequence.add({{.guess = 0.004, .trials = 500, .events = 4}});
  sequence.add({{.guess = 0.2, .trials = 2500, .events = 13}});
  CHECK(sequence.interval().estimate == doctest::Approx(20.0 / 4000).epsilon(1e-12));
}

TEST_CASE("the estimate weighs rounds by the variance of their shares, worked out for two rounds") {
  WeightedSequence sequence({.confidence = 0.5});
  sequence.add({{0.5, 0.5, 0, 100, 0}, {0.5, 0.5, 0, 100, 40}});
  // Z has the mean 0.5 / 0.5 * 40 / 200 = 0.2, and a variance of 0.5 * 0.01 * 0.99 + 0.5 * 0.4 * 0.6 at the
  // last guesses.
  const double first = 0.5 * 0.01 * 0.99 + 0.5 * 0.4 * 0.6;
  sequence.add({{0.5, 0.2, 0.01, 60, 0}, {0.5, 0.8, 0.4, 240, 90}});
  const double base = 0.5 * 0.01 + 0.5 * 0.4;
  const double sum = 300 * base - 60 * 2.5 * 0.01 + 0.625 * (90 - 240 * 0.4);
  const double second = 0.25 / 0.2 * 0.01 * 0.99 + 0.25 / 0.8 * 0.4 * 0.6;
  const double expected = (200 * 0.2 / first + sum / second) / (200 / first + 300 / second);
  CHECK(sequence.interval().estimate == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("the estimate is right on average though shares follow results") {
  // Four rare strata and a common one. The post-stratified estimate comes out low here.
  const std::vector<double> weights = {0.3, 0.3, 0.2, 0.15, 0.05};
  const std::vector<double> rates = {1e-3, 2e-3, 4e-3, 1e-3, 0.2};
  const SequenceTarget target{.half_width = 1e-3};
  double truth = 0;
  for (size_t h = 0; h < weights.size(); ++h)
    truth += weights[h] * rates[h];
  constexpr int kCampaigns = 400;
  double sum = 0;
  double squares = 0;
  for (int campaign = 0; campaign < kCampaigns; ++campaign) {
    std::mt19937_64 random(static_cast<uint64_t>(campaign) + 1);
    WeightedSequence sequence(target);
    std::vector<StratumTotal> totals(weights.size());
    for (int round = 0; round < 8; ++round) {
      const std::vector<double> guesses = pooled_rates(totals);
      const std::vector<double> shares = round == 0 ? weights : best_shares(weights, guesses, target);
      RoundCounts counts;
      int64_t left = 500;
      double share_left = 1;
      for (size_t h = 0; h < weights.size(); ++h) {
        const double part = h + 1 == weights.size() ? 1 : shares[h] / share_left;
        const auto trials = std::binomial_distribution<int64_t>(left, part)(random);
        const auto events = std::binomial_distribution<int64_t>(trials, rates[h])(random);
        counts.push_back({weights[h], shares[h], round == 0 ? 0 : guesses[h], trials, events});
        left -= trials;
        share_left -= shares[h];
        totals[h].trials += trials;
        totals[h].events += events;
      }
      sequence.add(counts);
    }
    const double error = sequence.interval().estimate - truth;
    sum += error;
    squares += error * error;
  }
  const double mean = sum / kCampaigns;
  const double deviation = std::sqrt(squares / kCampaigns - mean * mean);
  CHECK(std::abs(mean) < 0.15 * deviation);  // three standard errors of a mean of 400
  CHECK(deviation < 0.25 * truth);
}

TEST_CASE("ends never move apart as rounds come in, and strata without weight change nothing") {
  std::mt19937_64 random(7);
  WeightedSequence sequence({.half_width = 0.01});
  WeightedSequence with_empty({.half_width = 0.01});
  Interval before = sequence.interval();
  for (int round = 0; round < 20; ++round) {
    const RoundCounts counts = {{.weight = 0.9,
                                 .share = 0.6,
                                 .trials = 600,
                                 .events = std::binomial_distribution<int64_t>(600, 0.01)(random)},
                                {.weight = 0.1,
                                 .share = 0.4,
                                 .guess = 0.3,
                                 .trials = 400,
                                 .events = std::binomial_distribution<int64_t>(400, 0.4)(random)}};
    sequence.add(counts);
    RoundCounts more = counts;
    more.push_back({.weight = 0, .share = 0});
    with_empty.add(more);
    const Interval now = sequence.interval();
    CHECK(now.low >= before.low);
    CHECK(now.high <= before.high);
    CHECK(with_empty.interval().low == now.low);
    CHECK(with_empty.interval().high == now.high);
    before = now;
  }
  CHECK(width(before) < 0.03);
}

/// Share of campaigns whose interval misses the truth at any of `rounds` looks.
double missed(double rate_of_heavy, double rate_of_light, int campaigns, int rounds) {
  std::mt19937_64 random(11);
  const double truth = 0.95 * rate_of_heavy + 0.05 * rate_of_light;
  int misses = 0;
  for (int campaign = 0; campaign < campaigns; ++campaign) {
    const double confidence = 0.9;
    WeightedSequence sequence({.confidence = confidence, .half_width = 0.002});
    int64_t trials[2] = {0, 0};
    int64_t events[2] = {0, 0};
    bool is_missed = false;
    for (int round = 0; round < rounds; ++round) {
      const std::vector<double> rates = {shrunken_rate(events[0], trials[0], 0.01),
                                         shrunken_rate(events[1], trials[1], 0.01)};
      const std::vector<double> shares =
          best_shares({0.95, 0.05}, rates, {.confidence = confidence, .half_width = 0.002});
      RoundCounts counts;
      for (int h = 0; h < 2; ++h) {
        const auto n = static_cast<int64_t>(1000 * shares[static_cast<size_t>(h)]);
        const double rate = h == 0 ? rate_of_heavy : rate_of_light;
        const int64_t k = std::binomial_distribution<int64_t>(n, rate)(random);
        counts.push_back(
            {h == 0 ? 0.95 : 0.05, shares[static_cast<size_t>(h)], rates[static_cast<size_t>(h)], n, k});
        trials[h] += n;
        events[h] += k;
      }
      sequence.add(counts);
      const Interval now = sequence.interval();
      is_missed = is_missed || truth < now.low || truth > now.high;
    }
    misses += is_missed;
  }
  return static_cast<double>(misses) / campaigns;
}

TEST_CASE("a 90 % sequence misses the truth at any time in at most 10 % of campaigns, with adapting shares") {
  CHECK(missed(0, 0, 50, 10) == 0);
  CHECK(missed(1e-4, 0.2, 200, 20) <= 0.1);
  CHECK(missed(0.01, 0.3, 200, 20) <= 0.1);
}

TEST_CASE("shares sum to one, keep the floor, and follow the deviations") {
  const std::vector<double> weights = {0.9, 0.09, 0.01};
  const std::vector<double> shares = best_shares(weights, {1e-5, 1e-3, 0.3}, {.half_width = 0.001});
  CHECK(shares[0] + shares[1] + shares[2] == doctest::Approx(1));
  CHECK(shares[2] > 10 * weights[2]);
  CHECK(shares[0] / weights[0] < shares[2] / weights[2]);
  CHECK(shares[0] > 0.1);  // nothing was seen there, and much could hide
}

TEST_CASE("what makes no sense is refused") {
  check_contains(error_of(ErrorCode::usage, [] { WeightedSequence({.confidence = 1}); }), "between 0 and 1");
  check_contains(error_of(ErrorCode::usage,
                          [] { WeightedSequence({.confidence = std::numeric_limits<double>::quiet_NaN()}); }),
                 "between 0 and 1");
  WeightedSequence sequence({});
  check_contains(error_of(ErrorCode::usage, [&] { sequence.add({{.trials = 3, .events = 4}}); }),
                 "4 events in 3");
  check_contains(error_of(ErrorCode::usage, [&] { sequence.add({{.weight = 0.5, .share = 0}}); }),
                 "share above 0");
}

}  // namespace
}  // namespace faultwave
