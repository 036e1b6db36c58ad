// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "faultwave/interval.h"
#include "faultwave/sampler.h"
#include "faultwave/store.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// What kind of interval the numbers of a campaign carry, by how its trials were chosen (docs/statistics.md).
enum class IntervalKind : uint8_t {
  exact,       ///< every fault was tried: the rate itself, an interval of no width
  binomial,    ///< a number of trials fixed beforehand: Clopper-Pearson
  sequential,  ///< stratified, or stopped by its results: a confidence sequence, valid at any time
};
std::string_view to_string(IntervalKind kind);

/// What is counted in trials: a criterion that fired, a run that crashed or hung, or an answer that a fault
/// made wrong or right.
struct Counted {
  enum class What : uint8_t { criterion, crash, hang, right_lost, right_won };

  What what = What::criterion;
  size_t criterion = 0;  ///< its position

  Counted(size_t position) : criterion(position) {}
  Counted(What change) : what(change) {}
  int64_t in(const Tally& tally) const;
  auto operator<=>(const Counted&) const = default;
};

/// Rates with intervals from the counts of a campaign, over all and over parts of its population. One object
/// belongs to one thread at a time.
class Estimates {
 public:
  Estimates(const CampaignInfo& info, const std::vector<Round>& rounds, const std::vector<CellTally>& cells);

  IntervalKind kind() const { return kind_; }

  /// How often it happens, over the whole population.
  Interval overall(Counted counted) const;
  /// A part of the population: the cells for which this holds, and among their trials those of `counts`,
  /// which may be fewer, if something else singles them out too (an input, a feature map of the site).
  /// `neurons`: of each stratum, which part of its pairs of neuron and input has that; empty where it is as
  /// likely in each cell.
  using Part = std::function<bool(int64_t site, int64_t choice)>;
  Interval part(Counted counted, const Part& within, const std::vector<CellTally>& counts,
                const std::vector<double>& neurons = {}) const;
  Interval part(Counted counted, const Part& within) const { return part(counted, within, cells_); }

  const std::vector<CellTally>& cells() const { return cells_; }

 private:
  Interval sequential(Counted counted, const Part& within, const std::vector<CellTally>& counts,
                      double half_width, const std::vector<double>& neurons) const;
  /// What is expected of each stratum before each round, from all trials of the rounds before, those outside
  /// of a part too.
  const std::vector<std::vector<double>>& guesses_of(Counted counted) const;

  CampaignInfo info_;
  std::vector<Round> rounds_;
  std::vector<CellTally> cells_;
  IntervalKind kind_ = IntervalKind::binomial;
  double half_width_ = 0;  // at which the campaign stops, 0 if it does not
  mutable std::map<Counted, std::vector<std::vector<double>>> guesses_;  // once asked for
};

/// Shares of the next round of a stratified campaign, from the counts of the finished ones: what brings the
/// interval of the named criteria soonest to `half_width` (0: as narrow as may be). A pure function of its
/// arguments.
Shares decide_shares(const CampaignInfo& info, const std::vector<Round>& rounds,
                     const std::vector<CellTally>& cells, double half_width,
                     const std::vector<size_t>& criteria);

}  // namespace faultwave
#pragma GCC visibility pop
