// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "faultwave/weighted_sequence.h"

namespace faultwave {
namespace {

constexpr double kPrecision = 1e-12;

double log_sum(const Gambler::Bets& logs) {
  const double largest = *std::max_element(logs.begin(), logs.end());
  double sum = 0;
  for (const double value : logs)
    sum += std::exp(value - largest);
  return largest + std::log(sum);
}

}  // namespace

Gambler::Gambler(const Bets& purses, double least) : end_(least), centre_(least) {
  for (size_t j = 0; j < kBets; ++j)
    log_purses_[j] = std::log(purses[j]);
}

double Gambler::play(std::vector<Value> values, const Bets& bets, double threshold, double most) {
  // Bets are only safe against means up to `most`.
  if (centre_ > most) move_centre(end_);
  rounds_.push_back({std::move(values), bets});
  count_in(rounds_.back());
  advance(threshold, most);
  return end_;
}

// Note: log(1 + b (x - m)) at m = centre + d is log y - sum over k of (u d)^k / k, with y = 1 + b (x -
// centre) and u = b / y. Summed over values and rounds the powers of u are all that is needed of the past, so
// a look at the interval costs the same after a thousand rounds as after one.
void Gambler::count_in(const Round& round) {
  double steepest = 0;
  for (size_t j = 0; j < kBets; ++j) {
    std::array<double, kTerms + 1>& sums = series_[j];
    for (const Value& value : round.values) {
      const double excess = round.bets[j] * (value.x - centre_);
      const double u = round.bets[j] / (1 + excess);
      steepest = std::max(steepest, u);
      sums[0] += value.count * std::log1p(excess);
      double power = value.count;
      for (size_t k = 1; k <= kTerms; ++k) {
        power *= u;
        sums[k] += power;
      }
    }
  }
  if (steepest > 0) radius_ = std::min(radius_, kReach / steepest);
}

void Gambler::move_centre(double centre) {
  centre_ = centre;
  radius_ = 1;
  series_ = {};
  for (const Round& round : rounds_)
    count_in(round);
}

double Gambler::log_wealth(double mean) const {
  const double distance = mean - centre_;
  Bets logs = log_purses_;
  for (size_t j = 0; j < kBets; ++j) {
    double sum = 0;
    for (size_t k = kTerms; k > 0; --k)
      sum = (sum + series_[j][k] / static_cast<double>(k)) * distance;
    logs[j] += series_[j][0] - sum;
  }
  return log_sum(logs);
}

void Gambler::advance(double threshold, double most) {
  // Between `refuted` and `kept` lies the end. The centre goes where the search goes until the series reaches
  // over what is left; later rounds mostly find the end within reach at once.
  double refuted = end_;
  double kept = most;
  if (std::abs(refuted - centre_) > radius_) move_centre(refuted);
  if (refuted >= most || log_wealth(refuted) < threshold) return;
  for (bool is_in_reach = false; !is_in_reach;) {
    const double reach = std::min(kept, centre_ + radius_);
    if (reach > refuted && log_wealth(reach) >= threshold) {
      refuted = reach;
      if (reach == most) break;  // which only happens where the other end has missed
    } else if (reach > refuted) {
      kept = reach;
      break;
    }
    const double middle = (refuted + kept) / 2;
    move_centre(middle);
    if (log_wealth(middle) >= threshold) {
      refuted = middle;
      continue;
    }
    kept = middle;
    const double below = std::max(refuted, middle - radius_);
    is_in_reach = log_wealth(below) >= threshold;
    (is_in_reach ? refuted : kept) = below;
  }
  while (kept - refuted > kPrecision) {
    const double middle = (refuted + kept) / 2;
    if (middle <= refuted || middle >= kept) break;
    (log_wealth(middle) < threshold ? kept : refuted) = middle;
  }
  end_ = refuted;
}

}  // namespace faultwave
