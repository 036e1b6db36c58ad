// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "faultwave/allocation.h"
#include "faultwave/interval.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// What one round of trials found in one stratum. Before the round its weight, share and guess were fixed,
/// from earlier rounds alone.
struct StratumCount {
  double weight = 1;  ///< of the stratum in the population; all of a round sum to 1
  double share = 1;   ///< probability that a trial of the round was drawn from it; all of a round sum to 1
  /// The rate expected, from 0 to 1 (pooled_rates knows one): a control variate, and what bets are tuned to.
  /// Wrong guesses only cost width. If all are 0, bets are tuned to the pooled rates of earlier rounds, or
  /// one half.
  double guess = 0;
  int64_t trials = 0;
  int64_t events = 0;
};
using RoundCounts = std::vector<StratumCount>;

/// A gambler who bets, trial by trial, that values have a higher mean than they have; the least mean that he
/// has not refuted is a lower end of a time-uniform interval. For an upper end, negate values and means.
///
/// He holds several purses, each with a bet b of its own fixed before a round. Against a mean m a purse is
/// multiplied by 1 + b (x - m) at each value x. This falls with m and is above 0 for every m still possible,
/// so the sum of purses falls with m as well: the refuted means are all those under one end, which bisection
/// finds.
class Gambler {
 public:
  /// The target's bet, and those for other half-widths.
  static constexpr size_t kBets = 13;
  using Bets = std::array<double, kBets>;
  struct Value {
    double x = 0;
    double count = 0;  // how many trials had it
  };

  /// `purses`: with what part of the money each starts; they sum to 1. `least`: a mean that none can be
  /// below.
  Gambler(const Bets& purses, double least);

  /// A round with these bets, each of them under 1 / (most - least possible value). Then moves the end up as
  /// far as means are refuted, which is where wealth exceeds e^threshold, but not beyond `most`, the greatest
  /// mean still possible. The end never moves back, so a mean may be refuted after any round. Returns the
  /// end.
  double play(std::vector<Value> values, const Bets& bets, double threshold, double most);

 private:
  // Terms of the Taylor series in the mean by which rounds are remembered, and where the series is used: the
  // first term left out is then under kReach^(kTerms + 1) a trial.
  static constexpr size_t kTerms = 7;
  static constexpr double kReach = 1.0 / 64;
  struct Round {
    std::vector<Value> values;
    Bets bets{};
  };

  void count_in(const Round& round);
  void advance(double threshold, double most);
  void move_centre(double centre);
  double log_wealth(double mean) const;

  Bets log_purses_{};
  std::vector<Round> rounds_;
  double end_;
  double centre_;      // of the series
  double radius_ = 1;  // how far from it the series holds
  std::array<std::array<double, kTerms + 1>, kBets> series_{};
};

/// A time-uniform confidence interval for the rate of a population that is sampled by strata with changing
/// shares: with probability `confidence` it holds the true rate after all rounds at once, so one may look at
/// it whenever one likes and stop when it is narrow enough.
///
/// Each trial gives Z = sum_k weight_k guess_k + weight_h / share_h (Y - guess_h), where h is its stratum and
/// Y is 1 for an event. Whatever the shares and guesses, the mean of Z given the past is the rate p. A
/// gambler who bets against p = m multiplies his wealth by 1 + b (Z - m) at each trial; against the true rate
/// the expected wealth is 1 at most, so it exceeds 2 / alpha at any time with a probability of at most alpha
/// / 2 (J. Ville, Etude critique de la notion de collectif, 1939). The interval is what neither the gambler
/// on high Z nor the one on low Z has refuted. After I. Waudby-Smith and A. Ramdas, "Estimating means of
/// bounded random variables by betting", Journal of the Royal Statistical Society B 86 (2024). No bound is
/// added over strata: a stratum costs nothing for being there, only through its share.
///
/// Bets are a mixture: most of the money is on the bet that is best at the target, the rest on those best at
/// half-widths from 1/4 down to 10^-6. The best bet for a mean at distance d is d / variance of Z, with the
/// variance that earlier rounds lead to expect; it is cut to 0.9 / (greatest Z - least mean still possible),
/// and likewise on the other side. With the cut nearer on one side, that end is aimed at a larger distance.
///
/// A part of the population (a layer, a bit) is followed by a sequence of its own, with weights and shares
/// that are conditional on a trial falling into the part, and strata outside of it of weight 0 without
/// trials.
class WeightedSequence {
 public:
  /// Throws UserError(usage) unless 0 < confidence < 1.
  explicit WeightedSequence(const SequenceTarget& target);

  /// Throws UserError(usage) for counts that are none, strata of weight without a share, or guesses outside
  /// [0, 1]. Strata keep their position from round to round.
  void add(const RoundCounts& round);

  /// The interval so far: ends never move apart; [0, 1] before the first trial. The estimate is the mean of Z
  /// over all trials, those of a round weighted by one over the variance that Z had with its shares, at the
  /// rates expected now; clipped to the interval. With shares that never change it is the mean of Z itself,
  /// in one stratum events / trials. Its bias is a tenth of its standard error at most in simulations. The
  /// post-stratified estimate, sum of weight * events / trials, is not used: where shares follow results,
  /// strata whose first trials had no event by chance are looked at less, and it comes out low by up to one
  /// and a half standard errors.
  Interval interval() const;

 private:
  struct Aim;
  std::vector<double> expected_rates(const RoundCounts& round) const;
  Aim aim(const RoundCounts& round) const;

  SequenceTarget target_;
  double threshold_;  // log(2 / alpha)
  Gambler on_high_;   // his end is the lower one
  Gambler on_low_;    // his end is minus the upper one
  /// A round as the estimate sees it.
  struct Mean {
    double trials = 0;
    double sum = 0;              // of Z
    std::vector<double> spread;  // weight^2 / share of each stratum
  };
  std::vector<Mean> means_;
  RoundCounts last_;
  std::vector<StratumTotal> totals_;
  int64_t trials_ = 0;
  double low_ = 0;
  double high_ = 1;
};

}  // namespace faultwave
#pragma GCC visibility pop
