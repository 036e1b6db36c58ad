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

/// Which stratum each cell is in. Without strata the campaign is one stratum.
class Cells {
 public:
  explicit Cells(const CampaignInfo& info) : info_(info) {
    for (size_t stratum = 0; stratum < info.strata.size(); ++stratum) {
      const StoredStratum& stored = info.strata[stratum];
      for (int64_t i = 0; i < stored.choices; ++i)
        stratum_[{stored.site, stored.first_choice + i}] = stratum;
    }
  }

  size_t strata() const { return std::max<size_t>(info_.strata.size(), 1); }
  size_t of(int64_t site, int64_t choice) const {
    return info_.strata.empty() ? 0 : stratum_.at({site, choice});
  }
  double weight(size_t stratum) const { return info_.strata.empty() ? 1.0 : info_.strata[stratum].weight; }

  /// The part of each stratum's cells that lies within `part`, from 0 to 1.
  std::vector<double> fractions(const Estimates::Part& part) const {
    std::vector<double> fractions(strata(), info_.strata.empty() ? 1.0 : 0.0);
    for (const auto& [cell, stratum] : stratum_) {
      if (part(cell.first, cell.second))
        fractions[stratum] += 1.0 / static_cast<double>(info_.strata[stratum].choices);
    }
    return fractions;
  }

 private:
  const CampaignInfo& info_;
  std::map<std::pair<int64_t, int64_t>, size_t> stratum_;
};

/// Counts of one criterion by round and stratum, over a part.
std::vector<std::vector<StratumTotal>> count(const Cells& cells, size_t rounds, size_t criterion,
                                             const Estimates::Part& part,
                                             const std::vector<CellTally>& tallies) {
  std::vector<std::vector<StratumTotal>> counts(rounds, std::vector<StratumTotal>(cells.strata()));
  for (const CellTally& cell : tallies) {
    if (!part(cell.site, cell.choice)) continue;
    StratumTotal& place = counts.at(static_cast<size_t>(cell.round)).at(cells.of(cell.site, cell.choice));
    place.trials += cell.tally.trials;
    place.events += cell.tally.fired.at(criterion);
  }
  return counts;
}

/// The class of bit of each stratum: its position among the strata of its site.
std::vector<size_t> kinds_of(const CampaignInfo& info) {
  std::vector<size_t> kinds;
  for (size_t h = 0; h < info.strata.size(); ++h) {
    const bool is_first = h == 0 || info.strata[h].site != info.strata[h - 1].site;
    kinds.push_back(is_first ? 0 : kinds.back() + 1);
  }
  return kinds;
}

void add_to(std::vector<StratumTotal>& totals, const std::vector<StratumTotal>& counts) {
  for (size_t i = 0; i < totals.size(); ++i) {
    totals[i].trials += counts[i].trials;
    totals[i].events += counts[i].events;
  }
}

/// One round as the sequence takes it: weights, shares and guesses of the strata within a part.
RoundCounts round_counts(const Cells& cells, const Round& round, const std::vector<double>& fractions,
                         const std::vector<StratumTotal>& counts, const std::vector<double>& guesses) {
  const Shares shares{round.shares};
  RoundCounts strata;
  double weights = 0;
  double probabilities = 0;
  for (size_t h = 0; h < cells.strata(); ++h) {
    const double share = round.shares.empty() ? 1.0 : shares.probability(h);
    strata.push_back({.weight = cells.weight(h) * fractions[h],
                      .share = share * fractions[h],
                      .guess = guesses[h],
                      .trials = counts[h].trials,
                      .events = counts[h].events});
    weights += strata.back().weight;
    probabilities += strata.back().share;
  }
  for (StratumCount& stratum : strata) {
    stratum.weight /= weights;
    stratum.share /= probabilities;
  }
  return strata;
}

SequenceTarget target_of(const CampaignInfo& info, double half_width) {
  constexpr int64_t kUnlimited = 1'000'000'000;
  return {.confidence = info.confidence,
          .half_width = half_width,
          .trials = info.trials < kUnlimited ? info.trials : 0};
}

}  // namespace

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
  const Specification spec = parse_specification(info.specification, "the recorded specification");
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

Interval Estimates::overall(size_t criterion) const {
  if (kind_ == IntervalKind::sequential) return sequential(criterion, everywhere, cells_, half_width_);
  return part(criterion, everywhere);
}

Interval Estimates::part(size_t criterion, const Part& within, const std::vector<CellTally>& counts) const {
  if (kind_ == IntervalKind::sequential) return sequential(criterion, within, counts, 0);
  StratumTotal sum;
  for (const CellTally& cell : counts) {
    if (!within(cell.site, cell.choice)) continue;
    sum.trials += cell.tally.trials;
    sum.events += cell.tally.fired.at(criterion);
  }
  Interval interval = clopper_pearson(sum.events, sum.trials, info_.confidence);
  if (kind_ == IntervalKind::exact && sum.trials > 0) interval.low = interval.high = interval.estimate;
  return interval;
}

Interval Estimates::sequential(size_t criterion, const Part& within, const std::vector<CellTally>& counts,
                               double half_width) const {
  const Cells cells(info_);
  const std::vector<double> fractions = cells.fractions(within);
  SequenceTarget target = target_of(info_, half_width);
  if (half_width == 0 && half_width_ > 0) target.trials = 0;  // of a part nobody knows how many there will be
  WeightedSequence sequence(target);
  if (std::all_of(fractions.begin(), fractions.end(), [](double f) { return f == 0; }))
    return sequence.interval();

  const auto by_round = count(cells, rounds_.size(), criterion, within, counts);
  const std::vector<std::vector<double>>& guesses = guesses_of(criterion);
  for (size_t round = 0; round < rounds_.size(); ++round)
    sequence.add(round_counts(cells, rounds_[round], fractions, by_round[round], guesses[round]));
  return sequence.interval();
}

const std::vector<std::vector<double>>& Estimates::guesses_of(size_t criterion) const {
  std::vector<std::vector<double>>& guesses = guesses_[criterion];
  if (!guesses.empty()) return guesses;
  const Cells cells(info_);
  const std::vector<size_t> kinds = kinds_of(info_);
  std::vector<StratumTotal> before(cells.strata());
  for (const auto& round : count(cells, rounds_.size(), criterion, everywhere, cells_)) {
    guesses.push_back(guesses.empty() ? std::vector<double>(cells.strata(), 0.0)
                                      : pooled_rates(before, kinds));
    add_to(before, round);
  }
  return guesses;
}

Shares decide_shares(const CampaignInfo& info, const std::vector<Round>& rounds,
                     const std::vector<CellTally>& tallies, double half_width,
                     const std::vector<size_t>& criteria) {
  const Cells cells(info);
  std::vector<double> weights;
  for (size_t h = 0; h < cells.strata(); ++h)
    weights.push_back(cells.weight(h));
  if (rounds.empty()) return Shares::of(weights);

  std::vector<std::vector<double>> rates;
  for (const size_t criterion : criteria) {
    std::vector<StratumTotal> totals(cells.strata());
    for (const auto& round : count(cells, rounds.size(), criterion, everywhere, tallies))
      add_to(totals, round);
    rates.push_back(pooled_rates(totals, kinds_of(info)));
  }
  return Shares::of(best_shares_of_all(weights, rates, target_of(info, half_width)));
}

}  // namespace faultwave
