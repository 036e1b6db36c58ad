// SPDX-License-Identifier: Apache-2.0
#include "faultwave/comparison.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "faultwave/campaign.h"
#include "faultwave/error.h"

#include "src/campaign/recorded_extensions.h"

namespace faultwave {
namespace {

/// A finished campaign, or what is done of one, by trial.
class Side {
 public:
  explicit Side(const Store& store)
      : store_(store), info_(store.info()), spec_(info_.specification), sampler_(recorded_sampler(info_)) {}

  const CampaignInfo& info() const { return info_; }
  const Specification& spec() const { return spec_; }
  std::string name() const { return "'" + store_.path() + "'"; }
  Sampler::Drawn draw(int64_t trial) const { return sampler_.draw(trial, {}); }

  /// Null where the trial is not done. Cheap for trials in ascending order.
  const TrialOutcome* find(int64_t trial) {
    const int64_t block = trial / info_.block;
    if (block != block_) outcomes_ = unpack_outcomes(store_.packed_outcomes(block), info_);
    block_ = block;
    const auto place = static_cast<size_t>(trial % info_.block);
    return place < outcomes_.size() && outcomes_[place].is_done ? &outcomes_[place] : nullptr;
  }

 private:
  const Store& store_;
  const CampaignInfo& info_;
  Specification spec_;
  Sampler sampler_;
  int64_t block_ = -1;
  std::vector<TrialOutcome> outcomes_;  // of that block
};

UserError cannot_pair(const Side& first, const Side& second, const std::string& why) {
  return UserError(ErrorCode::mismatch,
                   "cannot pair the trials of " + first.name() + " and " + second.name() + ": " + why);
}

void check_comparable(const Side& first, const Side& second) {
  const auto check = [&](const std::string& key, const std::string& a, const std::string& b) {
    if (a != b) throw cannot_pair(first, second, key + " is " + a + " in one and " + b + " in the other");
  };
  for (const Side* side : {&first, &second}) {
    if (side->spec().draw != DrawRule::stratified) continue;
    throw cannot_pair(
        first, second,
        "those of " + side->name() + " are stratified and do not count alike; run both with draw = \"bits\"");
  }
  check("draw", first.info().draw, second.info().draw);
  check("seed", std::to_string(first.info().seed), std::to_string(second.info().seed));
  check("error", first.info().error, second.info().error);
  if (first.info().inputs_fingerprint != second.info().inputs_fingerprint) {
    throw cannot_pair(first, second,
                      "their inputs, '" + first.spec().input + "' and '" + second.spec().input + "', differ");
  }
}

/// Whether trials of one number have the same fault by construction, so that they need not be drawn to see.
bool draw_alike(const Side& first, const Side& second) {
  const CampaignInfo& a = first.info();
  const CampaignInfo& b = second.info();
  const auto same_site = [](const StoredSite& x, const StoredSite& y) {
    return x.kind == y.kind && x.name == y.name && x.dtype == y.dtype && x.shape == y.shape;
  };
  return first.spec().inputs_in_turn == second.spec().inputs_in_turn &&
         first.spec().faults_per_trial == second.spec().faults_per_trial && a.inputs == b.inputs &&
         a.eligible_inputs == b.eligible_inputs && a.list == b.list &&
         std::equal(a.sites.begin(), a.sites.end(), b.sites.begin(), b.sites.end(), same_site);
}

std::string fault_text(const Sampler::Drawn& drawn) {
  return to_string(drawn.trial.faults) + " on input " + std::to_string(drawn.located.input);
}

void check_same_fault(const Side& first, const Side& second, int64_t trial) {
  const std::string a = fault_text(first.draw(trial));
  const std::string b = fault_text(second.draw(trial));
  if (a == b) return;
  throw cannot_pair(first, second,
                    "trial " + std::to_string(trial) + " is " + a + " in one and " + b +
                        " in the other; give both the same [fault] sites, of the same shapes, and inputs");
}

/// Positions of a criterion in both. Crashes and hangs are compared as criteria are.
struct SharedCriterion {
  std::string name;
  size_t first = 0;
  size_t second = 0;
  std::optional<OutcomeClass> outcome{};  // instead of positions

  bool in_first(const TrialOutcome& trial) const { return has(trial, first); }
  bool in_second(const TrialOutcome& trial) const { return has(trial, second); }

 private:
  bool has(const TrialOutcome& trial, size_t position) const {
    return outcome ? trial.outcome == *outcome : ((trial.fired >> position) & 1) != 0;
  }
};

std::vector<SharedCriterion> shared_criteria(const Side& first, const Side& second) {
  const std::vector<std::string>& ours = first.info().criteria_text;
  const std::vector<std::string>& theirs = second.info().criteria_text;
  std::vector<SharedCriterion> shared;
  for (size_t i = 0; i < ours.size(); ++i) {
    const auto found = std::find(theirs.begin(), theirs.end(), ours[i]);
    if (found != theirs.end())
      shared.push_back({first.info().criteria[i], i, static_cast<size_t>(found - theirs.begin())});
  }
  if (shared.empty()) throw cannot_pair(first, second, "they have no criterion in common");
  for (const OutcomeClass outcome : {OutcomeClass::crash, OutcomeClass::hang})
    shared.push_back({.name = std::string(to_string(outcome)), .outcome = outcome});
  return shared;
}

void count(PairedCounts& counts, bool in_first, bool in_second) {
  if (in_first) {
    ++(in_second ? counts.both : counts.first_only);
  } else {
    ++(in_second ? counts.second_only : counts.neither);
  }
}

Worse worse_of(const ComparedCriterion& criterion, const Comparison& comparison) {
  const bool is_told = comparison.is_exact || criterion.p_value <= 1 - comparison.confidence;
  if (!is_told || criterion.counts.first_only == criterion.counts.second_only) return Worse::untold;
  return criterion.counts.first_only > criterion.counts.second_only ? Worse::first : Worse::second;
}

ComparedCriterion compared(const std::string& name, const PairedCounts& counts, int64_t pairs,
                           const Comparison& comparison) {
  ComparedCriterion criterion;
  criterion.name = name;
  criterion.counts = counts;
  const double confidence = comparison.confidence;
  criterion.first = clopper_pearson(counts.both + counts.first_only, pairs, confidence);
  criterion.second = clopper_pearson(counts.both + counts.second_only, pairs, confidence);
  criterion.difference = paired_difference(counts, confidence);
  criterion.p_value = mcnemar_p_value(counts);
  criterion.worse = worse_of(criterion, comparison);
  if (comparison.is_exact) {
    for (Interval* interval : {&criterion.first, &criterion.second, &criterion.difference})
      interval->low = interval->high = interval->estimate;
  }
  return criterion;
}

bool tries_all(const Side& side, int64_t pairs) {
  return side.spec().draw == DrawRule::exhaustive && side.spec().trials == 0 && side.info().trials == pairs;
}

}  // namespace

Comparison compare(const Store& first_store, const Store& second_store) {
  Side first(first_store);
  Side second(second_store);
  check_comparable(first, second);
  const std::vector<SharedCriterion> criteria = shared_criteria(first, second);
  const bool is_sure = draw_alike(first, second);
  for (const Side* side : {&first, &second}) {
    const std::string missing = missing_extension(side->info());
    if (!is_sure && !missing.empty()) throw cannot_pair(first, second, missing);
  }

  Comparison comparison{.first = first_store.path(),
                        .second = second_store.path(),
                        .first_model = first.spec().model,
                        .second_model = second.spec().model,
                        .first_trials = first_store.trials_done(),
                        .second_trials = second_store.trials_done(),
                        .confidence = first.info().confidence,
                        .is_fixed = first.spec().stop.half_width == 0 && second.spec().stop.half_width == 0,
                        .criteria = {}};
  std::vector<PairedCounts> counts(criteria.size());
  second_store.each_block([&](const Block& block, int64_t, const std::vector<TrialOutcome>& outcomes) {
    for (size_t i = 0; i < outcomes.size(); ++i) {
      const int64_t trial = block.first_trial + static_cast<int64_t>(i);
      const TrialOutcome* outcome = outcomes[i].is_done ? first.find(trial) : nullptr;
      if (outcome == nullptr) continue;
      if (!is_sure) check_same_fault(first, second, trial);
      ++comparison.pairs;
      for (size_t c = 0; c < criteria.size(); ++c) {
        count(counts[c], criteria[c].in_first(*outcome), criteria[c].in_second(outcomes[i]));
      }
    }
  });
  if (comparison.pairs == 0) throw cannot_pair(first, second, "no finished trial is in both");
  comparison.is_exact = tries_all(first, comparison.pairs) && tries_all(second, comparison.pairs);
  for (size_t c = 0; c < criteria.size(); ++c) {
    // Few networks crash or hang, and lines of zeros would say nothing.
    if (criteria[c].outcome && counts[c].neither == comparison.pairs) continue;
    comparison.criteria.push_back(compared(criteria[c].name, counts[c], comparison.pairs, comparison));
  }
  return comparison;
}

}  // namespace faultwave
