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
  if (std::abs(end_ - centre_) > radius_) move_centre(end_);
  if (end_ >= most || log_wealth(end_) < threshold) return;
  // Between `refuted` and `kept` lies the end. The centre goes where the search goes until the series reaches
  // over all that is left; later rounds mostly find the end within reach at once.
  double refuted = end_;
  double kept = most;
  for (;;) {
    const double from = std::max(refuted, centre_ - radius_);
    const double to = std::min(kept, centre_ + radius_);
    if (from <= to) {
      if (from > refuted) (log_wealth(from) < threshold ? kept : refuted) = from;
      if (to < kept) (log_wealth(to) < threshold ? kept : refuted) = to;
    }
    const bool is_in_reach = refuted >= centre_ - radius_ && kept <= centre_ + radius_;
    if (is_in_reach || kept - refuted <= kPrecision) break;
    move_centre((refuted + kept) / 2);
  }
  // All may be refuted, but only where the gambler on the other side has missed.
  if (kept == most && log_wealth(most) >= threshold) refuted = most;
  while (kept - refuted > kPrecision) {
    const double middle = (refuted + kept) / 2;
    if (middle <= refuted || middle >= kept) break;
    (log_wealth(middle) < threshold ? kept : refuted) = middle;
  }
  end_ = refuted;
}

}  // namespace faultwave
