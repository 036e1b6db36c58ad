// SPDX-License-Identifier: Apache-2.0
#include "src/report/walk_trials.h"

#include <utility>
#include <vector>

#include "src/campaign/recorded_extensions.h"
#include "src/common/shape.h"

namespace faultwave {
namespace {

std::vector<Shares> shares_of(const Store& store) {
  std::vector<Shares> shares;
  for (const Round& round : store.rounds())
    shares.push_back({round.shares});
  return shares;
}

}  // namespace

void walk_trials(
    const Store& store, const Sampler& sampler,
    const std::function<void(int64_t, int64_t, const Sampler::Located&, const TrialOutcome&)>& visit) {
  const std::vector<Shares> shares = shares_of(store);
  store.each_block([&](const Block& block, int64_t round, const std::vector<TrialOutcome>& outcomes) {
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (!outcomes[i].is_done) continue;
      const int64_t trial = block.first_trial + static_cast<int64_t>(i);
      const Sampler::Located place = sampler.locate(trial, shares.at(static_cast<size_t>(round)));
      TrialOutcome outcome = outcomes[i];
      outcome.site = static_cast<int32_t>(place.place.site);
      outcome.choice = static_cast<int32_t>(place.place.choice);
      outcome.stratum = static_cast<int32_t>(place.stratum);
      visit(trial, round, place, outcome);
    }
  });
}

void walk_rows(const Store& store, const Sampler& sampler,
               const std::function<void(const TrialRow&)>& visit) {
  const std::vector<Shares> shares = shares_of(store);
  const bool has_faults = missing_extension(store.info()).empty();
  store.each_block([&](const Block& block, int64_t round, const std::vector<TrialOutcome>& outcomes) {
    const std::vector<TrialRow> kept = store.rows(block.first_trial, block.trials);
    auto next = kept.begin();
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (!outcomes[i].is_done) continue;
      const int64_t trial = block.first_trial + static_cast<int64_t>(i);
      if (next != kept.end() && next->trial == trial) {
        visit(*next++);
        continue;
      }
      const Sampler::Drawn drawn = sampler.draw(trial, shares.at(static_cast<size_t>(round)));
      const Place& place = drawn.located.place;
      TrialRow row;
      row.trial = trial;
      row.is_kept = false;
      row.input = drawn.located.input;
      if (has_faults) row.fault = to_string(drawn.trial.faults);
      row.site = place.site;
      row.choice = place.choice;
      row.index = unravel(place.element, store.info().sites.at(static_cast<size_t>(place.site)).shape);
      row.outcome = outcomes[i].outcome;
      row.fired = outcomes[i].fired;
      visit(row);
    }
  });
}

}  // namespace faultwave
