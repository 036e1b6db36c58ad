// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "faultwave/interval.h"

namespace faultwave {

/// What one round of trials found in one stratum. Before the round its weight, share and guess were fixed,
/// from earlier rounds alone.
struct StratumCount {
  double weight = 1;  ///< of the stratum in the population; all of a round sum to 1
  double share = 1;   ///< probability that a trial of the round was drawn from it; all of a round sum to 1
  double guess =
      0;  ///< the rate that was expected, from 0 to 1: a control variate, wrong guesses only cost width
  int64_t trials = 0;
  int64_t events = 0;
};
using RoundCounts = std::vector<StratumCount>;

/// What a sequence shall be narrow for. It is valid whatever is given here.
struct SequenceTarget {
  double confidence = 0.99;
  double half_width = 0;  ///< the half-width at which trials will stop; 0: none
  int64_t trials = 0;     ///< the number of trials that are planned; 0: not known
};

/// A time-uniform confidence interval for the rate of a population that is sampled by strata with changing
/// shares: with probability `confidence` it holds the true rate at all times at once, so one may look at it
/// whenever one likes and stop when it is narrow enough.
///
/// Each trial gives Z = sum_k weight_k guess_k + weight_h / share_h (Y - guess_h), where h is its stratum and
/// Y is 1 for an event. Whatever the shares and guesses, the mean of Z given the past is the rate p. A
/// gambler who bets against p = m multiplies his wealth by 1 + b (Z - m) at each trial; against the true rate
/// the expected wealth is 1 at most, so it exceeds 2 / alpha at any time with a probability of at most alpha
/// / 2 (Ville, 1939). The interval is what neither the gambler on high Z nor the one on low Z has refuted.
/// After Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", Journal of the
/// Royal Statistical Society B 86 (2024). No bound is added over strata: a stratum costs nothing for being
/// there, only through its share.
///
/// The bets are a mixture: half of the money on the bet that is best at the target, the rest on bets best at
/// other numbers of trials. Note: a bet b against m is cut to kMostOfWealth / (m - least Z) (or / (greatest Z
/// - m)), so that wealth stays above 0. Both factors stay monotone in m: uncut since it is linear, cut since
/// (z - m) / (m - least) falls with m. So each end is found by bisection.
class WeightedSequence {
 public:
  /// Throws UserError(usage) unless 0 < confidence < 1.
  explicit WeightedSequence(const SequenceTarget& target);

  /// Throws UserError(usage) for counts that are none or strata of weight without a share.
  void add(const RoundCounts& round);

  /// The interval so far, the narrowest of all times so far being the right one to quote: ends never move
  /// apart. The estimate is the sum over strata of weight times events / trials of all rounds (strata without
  /// trials count with their guess), clipped to the interval. [0, 1] before the first trial.
  Interval interval() const;

 private:
  struct Term {
    double z = 0;
    double count = 0;
  };
  struct Bets {
    std::vector<Term> terms;
    double least = 0;  // Z in this round
    double greatest = 0;
    double target_bet = 0;
    double variance = 0;  // expected of Z, before the round
  };
  /// Logarithm of the wealth of the gambler on high (+1) or low (-1) Z against a mean of `mean`.
  double log_wealth(double mean, int side) const;
  double end(int side) const;
  double expected_variance(const RoundCounts& round) const;

  SequenceTarget target_;
  double threshold_;  // log(2 / alpha)
  std::vector<Bets> rounds_;
  std::vector<StratumCount>
      totals_;  // by stratum: weight and guess of the last round, trials and events of all
  int64_t trials_ = 0;
  double low_ = 0;
  double high_ = 1;
};

/// The rate that a stratum is expected to have after `events` in `trials`: drawn towards `overall` with the
/// weight of one trial, and never 0.
double shrunken_rate(int64_t events, int64_t trials, double overall);

/// Shares that bring a WeightedSequence soonest to its target. With b the bet that wins soonest, a stratum's
/// share is at least b times weight (its range weight / share caps the bet), and otherwise in proportion to
/// weight times the standard deviation of the expected rate (Neyman, Journal of the Royal Statistical Society
/// 97, 1934); b is found by search. `rates` are those expected, one a stratum.
std::vector<double> best_shares(const std::vector<double>& weights, const std::vector<double>& rates,
                                const SequenceTarget& target);

}  // namespace faultwave
