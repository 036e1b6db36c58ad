// SPDX-License-Identifier: Apache-2.0
#include "faultwave/weighted_sequence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/stats/bet_limits.h"

namespace faultwave {
namespace {

// Beside the target's: bets for distances of 1/4, 1/12, 1/36, ..., 1.4 * 10^-6.
constexpr double kFarthest = 0.25;
constexpr double kRatio = 3;
// Variances are those of expected rates, which are estimates: a round is never taken to be surer than this.
constexpr double kLeastVariance = 1e-12;

void check(const RoundCounts& round) {
  for (const StratumCount& stratum : round) {
    const bool has_counts = stratum.events >= 0 && stratum.trials >= stratum.events;
    const bool has_share = stratum.share > 0 || (stratum.weight == 0 && stratum.trials == 0);
    const bool has_guess = stratum.guess >= 0 && stratum.guess <= 1;
    if (has_counts && has_share && has_guess && stratum.weight >= 0) continue;
    throw UserError(ErrorCode::usage,
                    "a stratum of weight " + format_number(stratum.weight) + ", share " +
                        format_number(stratum.share) + " and guess " + format_number(stratum.guess) +
                        " with " + std::to_string(stratum.events) + " events in " +
                        std::to_string(stratum.trials) +
                        " trials: expected 0 <= events <= trials, a share above 0 and a guess from 0 to 1");
  }
}

double checked_threshold(double confidence) {
  if (!(confidence > 0 && confidence < 1)) {
    throw UserError(ErrorCode::usage, "a confidence of " + format_number(confidence) +
                                          ": expected a number between 0 and 1, such as 0.99");
  }
  return std::log(2 / (1 - confidence));
}

/// Without a target all bets are alike. Bets that follow the number of trials so far (1 / sqrt(n log n)) were
/// tried in its place, and are worse from some thousand trials on.
Gambler::Bets purses(const SequenceTarget& target) {
  const double aimed = target.half_width > 0 || target.trials > 0 ? kTargetPart : 0;
  Gambler::Bets purses;
  purses.fill((1 - aimed) / static_cast<double>(Gambler::kBets - 1));
  purses[0] = aimed;
  return purses;
}

}  // namespace

/// What is known of Z before a round: it decides the bets.
struct WeightedSequence::Aim {
  double base = 0;  // sum of weight * guess
  double least = 0;
  double greatest = 0;
  double variance = 0;
};

WeightedSequence::WeightedSequence(const SequenceTarget& target)
    : target_(target),
      threshold_(checked_threshold(target.confidence)),
      on_high_(purses(target), 0),
      on_low_(purses(target), -1) {}

std::vector<double> WeightedSequence::expected_rates(const RoundCounts& round) const {
  std::vector<double> rates;
  for (const StratumCount& stratum : round)
    rates.push_back(stratum.guess);
  if (std::any_of(rates.begin(), rates.end(), [](double rate) { return rate > 0; })) return rates;
  // Bets too large lose far more than bets too small, so the largest variance is expected before any trial.
  if (trials_ == 0) return std::vector<double>(round.size(), 0.5);
  std::vector<StratumTotal> totals = totals_;
  totals.resize(std::max(totals.size(), round.size()));
  return pooled_rates(totals);
}

WeightedSequence::Aim WeightedSequence::aim(const RoundCounts& round) const {
  const std::vector<double> rates = expected_rates(round);
  Aim aim;
  for (const StratumCount& stratum : round)
    aim.base += stratum.weight * stratum.guess;
  aim.least = aim.greatest = aim.base;
  for (size_t h = 0; h < round.size(); ++h) {
    if (round[h].weight == 0) continue;
    const double range = round[h].weight / round[h].share;
    aim.variance += round[h].weight * range * rates[h] * (1 - rates[h]);
    aim.least = std::min(aim.least, aim.base - range * round[h].guess);
    aim.greatest = std::max(aim.greatest, aim.base + range * (1 - round[h].guess));
  }
  aim.variance = std::max(aim.variance, kLeastVariance);
  return aim;
}

namespace {

/// Growth of the logarithm of wealth a trial, with the best bet up to `most`, against a mean `distance` off.
double growth(double distance, double variance, double most) {
  const double bet = std::min(distance / variance, most);
  return bet * distance - bet * bet * variance / 2;
}

/// Distances of the two ends at which both gamblers are equally fast: they sum to twice the half-width, and
/// are equal unless bets are cut. `most_*`: the largest bet.
struct Distances {
  double below = 0;
  double above = 0;
};

Distances split(double half_width, double variance, double most_below, double most_above) {
  double low = 0;
  double high = 2 * half_width;
  for (int step = 0; step < 30; ++step) {
    const double below = (low + high) / 2;
    const bool is_slower =
        growth(below, variance, most_below) < growth(2 * half_width - below, variance, most_above);
    (is_slower ? low : high) = below;
  }
  return {low, 2 * half_width - low};
}

Gambler::Bets bets(double distance, double variance, double most) {
  Gambler::Bets bets;
  bets[0] = std::min(distance / variance, most);
  double other = kFarthest;
  for (size_t j = 1; j < bets.size(); ++j, other /= kRatio)
    bets[j] = std::min(other / variance, most);
  return bets;
}

}  // namespace

void WeightedSequence::add(const RoundCounts& round) {
  check(round);
  const Aim aim = this->aim(round);
  // No mean outside of [low_, high_] is tried any more, which leaves the more to bet.
  const double most_below = kMostOfWealth / std::max(high_ - aim.least, 1e-12);
  const double most_above = kMostOfWealth / std::max(aim.greatest - low_, 1e-12);
  double half_width = target_.half_width;
  if (half_width <= 0 && target_.trials > 0)
    half_width = std::sqrt(2 * threshold_ * aim.variance / static_cast<double>(target_.trials));
  const Distances distances = split(half_width, aim.variance, most_below, most_above);

  std::vector<Gambler::Value> values;
  Mean mean{.trials = 0, .sum = 0, .spread = std::vector<double>(round.size(), 0.0)};
  totals_.resize(std::max(totals_.size(), round.size()));
  for (size_t h = 0; h < round.size(); ++h) {
    const StratumCount& stratum = round[h];
    if (stratum.share == 0) continue;
    const double range = stratum.weight / stratum.share;
    mean.spread[h] = stratum.weight * range;
    if (stratum.trials == 0) continue;
    const double without = aim.base - range * stratum.guess;
    if (stratum.trials > stratum.events)
      values.push_back({without, static_cast<double>(stratum.trials - stratum.events)});
    if (stratum.events > 0) values.push_back({without + range, static_cast<double>(stratum.events)});
    totals_[h].trials += stratum.trials;
    totals_[h].events += stratum.events;
    mean.trials += static_cast<double>(stratum.trials);
    mean.sum += static_cast<double>(stratum.trials) * without + static_cast<double>(stratum.events) * range;
  }
  trials_ += static_cast<int64_t>(mean.trials);
  means_.push_back(std::move(mean));
  last_ = round;
  const double low =
      on_high_.play(values, bets(distances.below, aim.variance, most_below), threshold_, high_);
  for (Gambler::Value& value : values)
    value.x = -value.x;
  const double high =
      -on_low_.play(std::move(values), bets(distances.above, aim.variance, most_above), threshold_, -low_);
  low_ = low;
  high_ = high;
  // Only where the true rate was missed (at most a share alpha of all campaigns) can the ends cross.
  if (low_ > high_) low_ = high_ = (low_ + high_) / 2;
}

Interval WeightedSequence::interval() const {
  Interval interval{.estimate = 0, .low = low_, .high = high_, .confidence = target_.confidence};
  if (trials_ == 0) return interval;
  const std::vector<double> rates = expected_rates(last_);
  double sum = 0;
  double weights = 0;
  for (const Mean& mean : means_) {
    double variance = 0;
    for (size_t h = 0; h < std::min(mean.spread.size(), rates.size()); ++h)
      variance += mean.spread[h] * rates[h] * (1 - rates[h]);
    variance = std::max(variance, kLeastVariance);
    sum += mean.sum / variance;
    weights += mean.trials / variance;
  }
  interval.estimate = std::clamp(sum / weights, low_, high_);
  return interval;
}

}  // namespace faultwave
