// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

/// What a WeightedSequence shall be narrow for. It is valid whatever is given here.
struct SequenceTarget {
  double confidence = 0.99;
  double half_width = 0;  ///< the half-width at which trials will stop; 0: none
  int64_t trials = 0;     ///< the number of trials that are planned; 0: not known
};

/// What all rounds so far found in one stratum.
struct StratumTotal {
  int64_t trials = 0;
  int64_t events = 0;
};

/// The rate to expect of each stratum, by empirical Bayes: rates of strata are taken as drawn from one
/// unknown distribution, which is estimated from all of them by expectation maximisation on a grid from 10^-6
/// to 1 - 10^-6 (Laird, Journal of the American Statistical Association 73, 1978), and each stratum gets its
/// posterior mean. So strata with few trials borrow from those that resemble them, and groups of equal rates
/// form and dissolve by themselves. `kinds`, if not empty, names strata that are likely alike, such as those
/// of one bit in all layers: each kind has a distribution of its own, drawn towards the common one with the
/// weight of two strata. Always above 0 and below 1; without any trial the mean of the grid's prior, 5 %.
///
/// It decides where to look and how much to bet, never what is concluded. Throws UserError(usage) for counts
/// that are none, or kinds of another length.
std::vector<double> pooled_rates(const std::vector<StratumTotal>& totals,
                                 const std::vector<size_t>& kinds = {});

/// The rate that a stratum is expected to have after `events` in `trials`: drawn towards `overall` with the
/// weight of one trial, and never 0. Simpler than pooled_rates, and worse where there are many strata.
double shrunken_rate(int64_t events, int64_t trials, double overall);

/// Shares that bring a WeightedSequence soonest to its target, one a stratum, summing to 1.
///
/// The least variance of the weighted mean has shares in proportion to weight * deviation, with deviation =
/// sqrt(rate (1 - rate)) (Neyman, Journal of the Royal Statistical Society 97, 1934). But an event in a
/// stratum moves the mean by weight / share, and a gambler may not bet more than he has, so ranges cap the
/// bets; of all shares that keep weight / share under a bound, those in proportion to weight * max(deviation,
/// floor) have the least variance. The floor is searched for the fewest trials that are expected until the
/// target. It comes out near sqrt(2 log(2 / alpha) / trials): a rate is worth telling from 0 only where it is
/// above some ten events in the whole campaign.
///
/// Without a half-width the target is the narrowest interval after `trials`, or after 10^5. `weights` sum to
/// 1, `rates` are those expected. Throws UserError(usage) for lists of different lengths, none at all,
/// negative weights, rates outside [0, 1].
std::vector<double> best_shares(const std::vector<double>& weights, const std::vector<double>& rates,
                                const SequenceTarget& target);

/// The same where several outcomes are counted in the same trials, `rates[i]` those of outcome i: the shares
/// by which the slowest of them is at its target soonest. Throws as best_shares.
std::vector<double> best_shares_of_all(const std::vector<double>& weights,
                                       const std::vector<std::vector<double>>& rates,
                                       const SequenceTarget& target);

/// About how many trials a WeightedSequence needs until its half-width is target.half_width, were shares as
/// given and rates known from the first trial: the number that best_shares makes small. Within some percent
/// for one stratum; an adaptive campaign needs more, since it has to learn. Throws as best_shares, and unless
/// half_width is above 0 and shares are where weights are.
double expected_trials(const std::vector<double>& weights, const std::vector<double>& rates,
                       const std::vector<double>& shares, const SequenceTarget& target);

}  // namespace faultwave
#pragma GCC visibility pop
