// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "faultwave/weighted_sequence.h"

namespace faultwave {
namespace {

// As in weighted_sequence.cpp: a bet may risk this part of the wealth.
constexpr double kMostOfWealth = 0.8;

/// Shares of at least bet * weight / kMostOfWealth, the rest in proportion to weight times deviation.
std::vector<double> shares_for(const std::vector<double>& weights, const std::vector<double>& deviations,
                               double bet) {
  const size_t count = weights.size();
  std::vector<double> shares(count);
  std::vector<bool> at_floor(count, false);
  // Water filling: strata that the proportional part leaves under their floor are put on it, until none is.
  for (bool changed = true; changed;) {
    changed = false;
    double left = 1;
    double sum = 0;
    for (size_t h = 0; h < count; ++h) {
      if (at_floor[h])
        left -= bet * weights[h] / kMostOfWealth;
      else
        sum += weights[h] * deviations[h];
    }
    for (size_t h = 0; h < count; ++h) {
      const double floor = bet * weights[h] / kMostOfWealth;
      shares[h] = at_floor[h] || sum == 0 ? floor : left * weights[h] * deviations[h] / sum;
      if (at_floor[h] || shares[h] >= floor) continue;
      at_floor[h] = true;
      changed = true;
    }
  }
  return shares;
}

/// How fast the logarithm of wealth grows a trial against a mean that is `distance` off.
double growth(const std::vector<double>& weights, const std::vector<double>& deviations,
              const std::vector<double>& shares, double bet, double distance) {
  double variance = 0;
  for (size_t h = 0; h < weights.size(); ++h) {
    const double part = weights[h] * deviations[h];
    if (part > 0) variance += part * part / shares[h];
  }
  return bet * distance - bet * bet * variance / 2;
}

}  // namespace

std::vector<double> best_shares(const std::vector<double>& weights, const std::vector<double>& rates,
                                const SequenceTarget& target) {
  std::vector<double> deviations;
  for (const double rate : rates)
    deviations.push_back(std::sqrt(std::max(rate * (1 - rate), 1e-12)));
  const double threshold = std::log(2 / (1 - target.confidence));
  // Without a half-width in mind: the one that the planned trials could reach if strata cost no floor.
  double distance = target.half_width;
  if (distance <= 0) {
    double spread = 0;
    for (size_t h = 0; h < weights.size(); ++h)
      spread += weights[h] * deviations[h];
    const double trials = target.trials > 0 ? static_cast<double>(target.trials) : 1e5;
    distance = spread * std::sqrt(2 * threshold / trials) + threshold / trials;
  }
  std::vector<double> best = weights;
  double best_growth = -std::numeric_limits<double>::infinity();
  constexpr int kSteps = 60;
  for (int step = 1; step <= kSteps; ++step) {
    // From 0.8 * 10^-3 to almost kMostOfWealth, where the floors take all.
    const double bet = 0.99 * kMostOfWealth * std::pow(10.0, -3.0 * (kSteps - step) / kSteps);
    const std::vector<double> shares = shares_for(weights, deviations, bet);
    const double speed = growth(weights, deviations, shares, bet, distance);
    if (speed <= best_growth) continue;
    best_growth = speed;
    best = shares;
  }
  return best;
}

}  // namespace faultwave
