// SPDX-License-Identifier: Apache-2.0
#include "faultwave/estimates.h"

#include <algorithm>
#include <map>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/specification.h"
#include "faultwave/weighted_sequence.h"

namespace faultwave {
namespace {

bool everywhere(int64_t, int64_t) {
  return true;
}

/// The strata of a campaign. Without strata it is one.
class StrataOf {
 public:
  explicit StrataOf(const CampaignInfo& info) : info_(info) {}

  size_t size() const { return std::max<size_t>(info_.strata.size(), 1); }
  double weight(size_t stratum) const { return info_.strata.empty() ? 1.0 : info_.strata[stratum].weight; }
  std::vector<size_t> kinds() const {
    std::vector<size_t> kinds;
    for (const StoredStratum& stratum : info_.strata)
      kinds.push_back(static_cast<size_t>(stratum.kind));
    return kinds;
  }

  /// What of each stratum lies within a part, from 0 to 1.
  std::vector<double> fractions(const Estimates::Part& part, const std::vector<double>& neurons) const {
    std::vector<double> fractions(size(), 1.0);
    for (size_t h = 0; h < info_.strata.size(); ++h) {
      const StoredStratum& stratum = info_.strata[h];
      int64_t within = 0;
      for (int64_t i = 0; i < stratum.choices; ++i)
        within += part(stratum.site, stratum.first_choice + i) ? 1 : 0;
      fractions[h] = static_cast<double>(within) / static_cast<double>(stratum.choices);
      if (!neurons.empty()) fractions[h] *= neurons[h];
    }
    return fractions;
  }

 private:
  const CampaignInfo& info_;
};

/// Counts of one thing by round and stratum, over a part.
std::vector<std::vector<StratumTotal>> count(size_t strata, size_t rounds, Counted counted,
                                             const Estimates::Part& part,
                                             const std::vector<CellTally>& tallies) {
  std::vector<std::vector<StratumTotal>> counts(rounds, std::vector<StratumTotal>(strata));
  for (const CellTally& cell : tallies) {
    if (!part(cell.site, cell.choice)) continue;
    StratumTotal& place = counts.at(static_cast<size_t>(cell.round)).at(static_cast<size_t>(cell.stratum));
    place.trials += cell.tally.trials;
    place.events += counted.in(cell.tally);
  }
  return counts;
}

void add_to(std::vector<StratumTotal>& totals, const std::vector<StratumTotal>& counts) {
  for (size_t i = 0; i < totals.size(); ++i) {
    totals[i].trials += counts[i].trials;
    totals[i].events += counts[i].events;
  }
}

/// One round as the sequence takes it: weights, shares and guesses of the strata that a part has anything of.
RoundCounts round_counts(const StrataOf& strata, const Round& round, const std::vector<double>& fractions,
                         const std::vector<StratumTotal>& counts, const std::vector<double>& guesses) {
  const Shares shares{round.shares};
  RoundCounts part;
  double weights = 0;
  double probabilities = 0;
  for (size_t h = 0; h < strata.size(); ++h) {
    if (fractions[h] == 0) continue;
    const double share = round.shares.empty() ? 1.0 : shares.probability(h);
    part.push_back({.weight = strata.weight(h) * fractions[h],
                    .share = share * fractions[h],
                    .guess = guesses[h],
                    .trials = counts[h].trials,
                    .events = counts[h].events});
    weights += part.back().weight;
    probabilities += part.back().share;
  }
  for (StratumCount& stratum : part) {
    stratum.weight /= weights;
    stratum.share /= probabilities;
  }
  return part;
}

SequenceTarget target_of(const CampaignInfo& info, double half_width) {
  constexpr int64_t kUnlimited = 1'000'000'000;
  return {.confidence = info.confidence,
          .half_width = half_width,
          .trials = info.trials < kUnlimited ? info.trials : 0};
}

}  // namespace

int64_t Counted::in(const Tally& tally) const {
  switch (what) {
    case What::criterion:
      return tally.fired.at(criterion);
    case What::crash:
      return tally.of(OutcomeClass::crash);
    case What::hang:
      return tally.of(OutcomeClass::hang);
    case What::right_lost:
      return tally.right_lost;
    case What::right_won:
      break;
  }
  return tally.right_won;
}

std::string_view to_string(IntervalKind kind) {
  switch (kind) {
    case IntervalKind::exact:
      return "exact";
    case IntervalKind::binomial:
      return "Clopper-Pearson";
    case IntervalKind::sequential:
      break;
  }
  return "confidence sequence";
}

Estimates::Estimates(const CampaignInfo& info, const std::vector<Round>& rounds,
                     const std::vector<CellTally>& cells)
    : info_(info), rounds_(rounds), cells_(cells) {
  const Specification& spec = info.specification;
  half_width_ = spec.stop.half_width;
  int64_t trials = 0;
  for (const CellTally& cell : cells)
    trials += cell.tally.trials;
  const bool is_whole = spec.draw == DrawRule::exhaustive && spec.trials == 0 && trials == info.trials;
  if (is_whole) {
    kind_ = IntervalKind::exact;
  } else if (spec.draw == DrawRule::stratified || half_width_ > 0) {
    kind_ = IntervalKind::sequential;
  }
}

Interval Estimates::overall(Counted counted) const {
  if (kind_ == IntervalKind::sequential) return sequential(counted, everywhere, cells_, half_width_, {});
  return part(counted, everywhere);
}

Interval Estimates::part(Counted counted, const Part& within, const std::vector<CellTally>& counts,
                         const std::vector<double>& neurons) const {
  if (kind_ == IntervalKind::sequential) return sequential(counted, within, counts, 0, neurons);
  StratumTotal sum;
  for (const CellTally& cell : counts) {
    if (!within(cell.site, cell.choice)) continue;
    sum.trials += cell.tally.trials;
    sum.events += counted.in(cell.tally);
  }
  Interval interval = clopper_pearson(sum.events, sum.trials, info_.confidence);
  if (kind_ == IntervalKind::exact && sum.trials > 0) interval.low = interval.high = interval.estimate;
  return interval;
}

Interval Estimates::sequential(Counted counted, const Part& within, const std::vector<CellTally>& counts,
                               double half_width, const std::vector<double>& neurons) const {
  const StrataOf strata(info_);
  const std::vector<double> fractions = strata.fractions(within, neurons);
  SequenceTarget target = target_of(info_, half_width);
  if (half_width == 0 && half_width_ > 0) target.trials = 0;  // of a part nobody knows how many there will be
  WeightedSequence sequence(target);
  if (std::all_of(fractions.begin(), fractions.end(), [](double f) { return f == 0; }))
    return sequence.interval();

  const auto by_round = count(strata.size(), rounds_.size(), counted, within, counts);
  const std::vector<std::vector<double>>& guesses = guesses_of(counted);
  for (size_t round = 0; round < rounds_.size(); ++round)
    sequence.add(round_counts(strata, rounds_[round], fractions, by_round[round], guesses[round]));
  return sequence.interval();
}

const std::vector<std::vector<double>>& Estimates::guesses_of(Counted counted) const {
  std::vector<std::vector<double>>& guesses = guesses_[counted];
  if (!guesses.empty()) return guesses;
  const StrataOf strata(info_);
  const std::vector<size_t> kinds = strata.kinds();
  std::vector<StratumTotal> before(strata.size());
  for (const auto& round : count(strata.size(), rounds_.size(), counted, everywhere, cells_)) {
    guesses.push_back(guesses.empty() ? std::vector<double>(strata.size(), 0.0)
                                      : pooled_rates(before, kinds));
    add_to(before, round);
  }
  return guesses;
}

Shares decide_shares(const CampaignInfo& info, const std::vector<Round>& rounds,
                     const std::vector<CellTally>& tallies, double half_width,
                     const std::vector<size_t>& criteria) {
  const StrataOf strata(info);
  std::vector<double> weights;
  for (size_t h = 0; h < strata.size(); ++h)
    weights.push_back(strata.weight(h));
  if (rounds.empty()) return Shares::of(weights);

  std::vector<std::vector<double>> rates;
  for (const size_t criterion : criteria) {
    std::vector<StratumTotal> totals(strata.size());
    for (const auto& round : count(strata.size(), rounds.size(), criterion, everywhere, tallies))
      add_to(totals, round);
    rates.push_back(pooled_rates(totals, strata.kinds()));
  }
  return Shares::of(best_shares_of_all(weights, rates, target_of(info, half_width)));
}

}  // namespace faultwave
