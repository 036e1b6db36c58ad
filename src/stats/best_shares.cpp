// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "faultwave/allocation.h"
#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/stats/bet_limits.h"

namespace faultwave {
namespace {

constexpr int64_t kTrialsIfUnknown = 100'000;

[[noreturn]] void refuse(const std::string& what) {
  throw UserError(ErrorCode::usage, what);
}

void check(const std::vector<double>& weights, const std::vector<double>& rates,
           const SequenceTarget& target) {
  if (weights.empty() || weights.size() != rates.size()) {
    refuse("rates of " + std::to_string(rates.size()) + " strata for " + std::to_string(weights.size()) +
           " weights: expected as many, and one at least");
  }
  for (size_t h = 0; h < weights.size(); ++h) {
    if (!(weights[h] >= 0))
      refuse("a stratum of weight " + format_number(weights[h]) + ": expected 0 or more");
    if (!(rates[h] >= 0 && rates[h] <= 1))
      refuse("an expected rate of " + format_number(rates[h]) + ": expected 0 to 1");
  }
  if (!(target.confidence > 0 && target.confidence < 1)) {
    refuse("a confidence of " + format_number(target.confidence) +
           ": expected a number between 0 and 1, such as 0.99");
  }
}

/// What a trial drawn with given shares tells: variance of Z and how far it may lie from its mean.
struct Spread {
  double variance = 0;
  double above = 0;
  double below = 0;
};

Spread spread(const std::vector<double>& weights, const std::vector<double>& rates,
              const std::vector<double>& shares) {
  Spread spread;
  for (size_t h = 0; h < weights.size(); ++h) {
    if (weights[h] == 0) continue;
    const double range = weights[h] / shares[h];
    spread.variance += weights[h] * range * rates[h] * (1 - rates[h]);
    spread.above = std::max(spread.above, range * (1 - rates[h]));
    spread.below = std::max(spread.below, range * rates[h]);
  }
  return spread;
}

/// How far from the mean the end lies where a gambler has won `growth` a trial, if no bet may exceed
/// kMostOfWealth / range: the least of growth / bet + bet * variance / 2.
double distance(double growth, double variance, double range) {
  const double most = range > 0 ? kMostOfWealth / range : std::numeric_limits<double>::infinity();
  const double bet = std::min(std::sqrt(2 * growth / std::max(variance, 1e-300)), most);
  return growth / bet + bet * variance / 2;
}

double half_width(double growth, const Spread& spread) {
  return (distance(growth, spread.variance, spread.above) + distance(growth, spread.variance, spread.below)) /
         2;
}

/// Logarithm of the wealth that an end takes.
double wealth_needed(const SequenceTarget& target) {
  return std::log(2 / (1 - target.confidence)) - std::log(kTargetPart);
}

/// Trials until the half-width is the target's.
double trials_needed(const Spread& spread, const SequenceTarget& target) {
  // The half-width grows with the growth a trial that is asked for; bisect its logarithm.
  double low = std::log(1e-18);
  double high = 0;
  for (int step = 0; step < 50; ++step) {
    const double middle = (low + high) / 2;
    (half_width(std::exp(middle), spread) < target.half_width ? low : high) = middle;
  }
  return wealth_needed(target) / std::exp(high);
}

/// What shares are to make small: trials until the half-width, or else the half-width after the trials.
double cost(const std::vector<double>& weights, const std::vector<double>& rates,
            const std::vector<double>& shares, const SequenceTarget& target) {
  const Spread found = spread(weights, rates, shares);
  if (target.half_width > 0) return trials_needed(found, target);
  const int64_t trials = target.trials > 0 ? target.trials : kTrialsIfUnknown;
  return half_width(wealth_needed(target) / static_cast<double>(trials), found);
}

std::vector<double> shares_over(double floor, const std::vector<double>& weights,
                                const std::vector<double>& deviations) {
  std::vector<double> shares;
  double sum = 0;
  for (size_t h = 0; h < weights.size(); ++h) {
    shares.push_back(weights[h] * std::max(deviations[h], floor));
    sum += shares.back();
  }
  for (double& share : shares)
    share /= sum;
  return shares;
}

/// The greatest cost over several outcomes.
double worst(const std::vector<double>& weights, const std::vector<std::vector<double>>& rates,
             const std::vector<double>& shares, const SequenceTarget& target) {
  double worst = 0;
  for (const std::vector<double>& of_one : rates)
    worst = std::max(worst, cost(weights, of_one, shares, target));
  return worst;
}

/// The best floor for these deviations.
std::vector<double> search_floor(const std::vector<double>& weights, const std::vector<double>& deviations,
                                 const std::vector<std::vector<double>>& rates,
                                 const SequenceTarget& target) {
  std::vector<double> best = weights;
  double least = std::numeric_limits<double>::infinity();
  // From one, where shares are the weights, to 10^-5, beneath which no campaign can see.
  constexpr int kSteps = 50;
  for (int step = 0; step <= kSteps; ++step) {
    const double floor = std::pow(10.0, -5.0 * step / kSteps);
    std::vector<double> shares = shares_over(floor, weights, deviations);
    const double found = worst(weights, rates, shares, target);
    if (found >= least) continue;
    least = found;
    best = std::move(shares);
  }
  return best;
}

/// Deviations of a mixture of outcomes.
std::vector<double> mixed_deviations(const std::vector<std::vector<double>>& rates,
                                     const std::vector<double>& parts) {
  std::vector<double> squares(rates[0].size(), 0.0);
  for (size_t i = 0; i < rates.size(); ++i) {
    for (size_t h = 0; h < squares.size(); ++h)
      squares[h] += parts[i] * rates[i][h] * (1 - rates[i][h]);
  }
  for (double& square : squares)
    square = std::sqrt(square);
  return squares;
}

}  // namespace

std::vector<double> best_shares(const std::vector<double>& weights, const std::vector<double>& rates,
                                const SequenceTarget& target) {
  return best_shares_of_all(weights, {rates}, target);
}

std::vector<double> best_shares_of_all(const std::vector<double>& weights,
                                       const std::vector<std::vector<double>>& rates,
                                       const SequenceTarget& target) {
  if (rates.empty()) refuse("shares for no outcome: expected the rates of one at least");
  for (const std::vector<double>& of_one : rates)
    check(weights, of_one, target);
  std::vector<double> parts(rates.size(), 1.0 / static_cast<double>(rates.size()));
  std::vector<double> best;
  double least = std::numeric_limits<double>::infinity();
  // The slowest outcome weighs more each time round (multiplicative weights).
  const int rounds = rates.size() == 1 ? 1 : 12;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> shares = search_floor(weights, mixed_deviations(rates, parts), rates, target);
    double sum = 0;
    double slowest = 0;
    for (size_t i = 0; i < rates.size(); ++i) {
      const double found = cost(weights, rates[i], shares, target);
      slowest = std::max(slowest, found);
      sum += parts[i] *= found;
    }
    for (double& part : parts)
      part /= sum;
    if (slowest >= least) continue;
    least = slowest;
    best = std::move(shares);
  }
  return best;
}

double expected_trials(const std::vector<double>& weights, const std::vector<double>& rates,
                       const std::vector<double>& shares, const SequenceTarget& target) {
  check(weights, rates, target);
  if (shares.size() != weights.size()) {
    refuse("shares of " + std::to_string(shares.size()) + " strata for " + std::to_string(weights.size()) +
           " weights: expected as many");
  }
  if (!(target.half_width > 0)) refuse("trials until no half-width: expected a half-width above 0");
  for (size_t h = 0; h < weights.size(); ++h) {
    if (weights[h] > 0 && !(shares[h] > 0)) refuse("a stratum of weight above 0 without a share");
  }
  return trials_needed(spread(weights, rates, shares), target);
}

}  // namespace faultwave
