// SPDX-License-Identifier: Apache-2.0
#include "faultwave/weighted_sequence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "faultwave/error.h"

namespace faultwave {
namespace {

// A bet never puts more than this part of the wealth at risk in one trial.
constexpr double kMostOfWealth = 0.8;
// The mixture beside the bet at the target: bets best after 2^8, 2^10, ... 2^26 trials.
constexpr int kFirstPower = 8;
constexpr int kPowerStep = 2;
constexpr int kOtherBets = 10;
constexpr double kTargetPart = 0.5;
// What is expected before the first trial, with the weight of one: only bets depend on it.
constexpr double kRateBeforeAll = 0.05;

void check(const RoundCounts& round) {
  for (const StratumCount& stratum : round) {
    const bool has_counts = stratum.events >= 0 && stratum.trials >= stratum.events;
    const bool has_share = stratum.share > 0 || (stratum.weight == 0 && stratum.trials == 0);
    if (has_counts && has_share && stratum.weight >= 0) continue;
    throw UserError(ErrorCode::usage, "a stratum of weight " + std::to_string(stratum.weight) +
                                          " and share " + std::to_string(stratum.share) + " with " +
                                          std::to_string(stratum.events) + " events in " +
                                          std::to_string(stratum.trials) +
                                          " trials: expected 0 <= events <= trials and a share above 0");
  }
}

/// The bet that is best after `trials` trials of this variance.
double bet_for_trials(double threshold, double variance, double trials) {
  return std::sqrt(2 * threshold / (variance * trials));
}

double log_sum(const double* logs, size_t count) {
  const double largest = *std::max_element(logs, logs + count);
  double sum = 0;
  for (size_t i = 0; i < count; ++i)
    sum += std::exp(logs[i] - largest);
  return largest + std::log(sum);
}

}  // namespace

double shrunken_rate(int64_t events, int64_t trials, double overall) {
  const double prior = std::clamp(overall, 1e-6, 1 - 1e-6);
  return (static_cast<double>(events) + prior) / (static_cast<double>(trials) + 1);
}

WeightedSequence::WeightedSequence(const SequenceTarget& target) : target_(target) {
  if (!(target.confidence > 0 && target.confidence < 1)) {
    throw UserError(ErrorCode::usage, "a confidence of " + std::to_string(target.confidence) +
                                          ": expected a number between 0 and 1, such as 0.99");
  }
  threshold_ = std::log(2 / (1 - target.confidence));
}

double WeightedSequence::expected_variance(const RoundCounts& round) const {
  double events = 0;
  for (const StratumCount& stratum : totals_)
    events += static_cast<double>(stratum.events);
  const double overall = (events + kRateBeforeAll) / (static_cast<double>(trials_) + 1);
  double variance = 0;
  for (size_t h = 0; h < round.size(); ++h) {
    if (round[h].weight == 0) continue;
    const bool is_known = h < totals_.size();
    const double rate =
        shrunken_rate(is_known ? totals_[h].events : 0, is_known ? totals_[h].trials : 0, overall);
    variance += round[h].weight * round[h].weight / round[h].share * rate * (1 - rate);
  }
  return std::max(variance, 1e-12);
}

void WeightedSequence::add(const RoundCounts& round) {
  check(round);
  Bets bets;
  bets.variance = expected_variance(round);
  if (target_.half_width > 0) {
    bets.target_bet = target_.half_width / bets.variance;
  } else if (target_.trials > 0) {
    bets.target_bet = bet_for_trials(threshold_, bets.variance, static_cast<double>(target_.trials));
  }
  double base = 0;
  for (const StratumCount& stratum : round)
    base += stratum.weight * stratum.guess;
  bets.least = bets.greatest = base;
  totals_.resize(std::max(totals_.size(), round.size()));
  for (size_t h = 0; h < round.size(); ++h) {
    const StratumCount& stratum = round[h];
    totals_[h].weight = stratum.weight;
    totals_[h].guess = stratum.guess;
    if (stratum.weight == 0) continue;
    const double range = stratum.weight / stratum.share;
    const double without = base - range * stratum.guess;
    const double with = base + range * (1 - stratum.guess);
    bets.least = std::min(bets.least, without);
    bets.greatest = std::max(bets.greatest, with);
    if (stratum.trials > stratum.events)
      bets.terms.push_back({without, static_cast<double>(stratum.trials - stratum.events)});
    if (stratum.events > 0) bets.terms.push_back({with, static_cast<double>(stratum.events)});
    totals_[h].trials += stratum.trials;
    totals_[h].events += stratum.events;
    trials_ += stratum.trials;
  }
  rounds_.push_back(std::move(bets));
  low_ = std::max(low_, end(+1));
  high_ = std::min(high_, end(-1));
  // Only where the true rate was missed (at most a share alpha of all campaigns) can the ends cross.
  if (low_ > high_) low_ = high_ = (low_ + high_) / 2;
}

double WeightedSequence::log_wealth(double mean, int side) const {
  std::array<double, 1 + kOtherBets> logs{};
  const bool has_target = target_.half_width > 0 || target_.trials > 0;
  for (int j = 0; j < kOtherBets; ++j)
    logs[static_cast<size_t>(1 + j)] = std::log((has_target ? 1 - kTargetPart : 1.0) / kOtherBets);
  logs[0] = has_target ? std::log(kTargetPart) : -std::numeric_limits<double>::infinity();
  for (const Bets& round : rounds_) {
    const double room = side > 0 ? mean - round.least : round.greatest - mean;
    const double most = room > 0 ? kMostOfWealth / room : std::numeric_limits<double>::max();
    for (size_t j = 0; j < logs.size(); ++j) {
      const double wanted =
          j == 0 ? round.target_bet
                 : bet_for_trials(threshold_, round.variance,
                                  std::ldexp(1.0, kFirstPower + kPowerStep * (static_cast<int>(j) - 1)));
      const double bet = side * std::min(wanted, most);
      double growth = 0;
      for (const Term& term : round.terms)
        growth += term.count * std::log1p(bet * (term.z - mean));
      logs[j] += growth;
    }
  }
  return log_sum(logs.data(), logs.size());
}

double WeightedSequence::end(int side) const {
  // The gambler on high Z wins against low means: the lower end is where he stops winning.
  double refuted = side > 0 ? 0 : 1;
  double kept = side > 0 ? 1 : 0;
  if (log_wealth(refuted, side) < threshold_) return refuted;
  constexpr double kPrecision = 1e-9;
  while (std::abs(kept - refuted) > kPrecision) {
    const double middle = (kept + refuted) / 2;
    (log_wealth(middle, side) < threshold_ ? kept : refuted) = middle;
  }
  return refuted;
}

Interval WeightedSequence::interval() const {
  Interval interval{.estimate = 0, .low = low_, .high = high_, .confidence = target_.confidence};
  if (trials_ == 0) return interval;
  for (const StratumCount& stratum : totals_) {
    const double rate = stratum.trials > 0
                            ? static_cast<double>(stratum.events) / static_cast<double>(stratum.trials)
                            : stratum.guess;
    interval.estimate += stratum.weight * rate;
  }
  interval.estimate = std::clamp(interval.estimate, low_, high_);
  return interval;
}

}  // namespace faultwave
