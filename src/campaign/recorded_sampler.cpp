// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "faultwave/campaign.h"
#include "faultwave/error.h"

#include "src/campaign/recorded_extensions.h"
#include "src/common/torch_names.h"
#include "src/fault/recorded_faults.h"

namespace faultwave {
namespace {

Site site_of(const StoredSite& stored) {
  Site site;
  site.kind = stored.kind;
  site.name = stored.name;
  site.op = stored.op;
  site.dtype = dtype_named(stored.dtype);  // a store has none that is not there
  site.shape = stored.shape;               // of one batch element, so there is no batch axis
  site.channel_axis = stored.channel_axis;
  return site;
}

/// The model as far as it is needed to tell where faults lie, which a list says itself.
ErrorModelPtr model_of(const CampaignInfo& info) {
  return info.draw == to_string(DrawRule::list) ? zero() : recorded_model(info);
}

}  // namespace

Sampler recorded_sampler(const Store& store) {
  Sampler sampler = recorded_sampler(store.info(), store.neuron_classes());
  const bool is_stratified = sampler.options().rule == DrawRule::stratified;
  if (is_stratified && sampler.strata().size() != store.info().strata.size())
    throw UserError(ErrorCode::store, "'" + store.path() + "' is damaged: its strata do not fit its sites");
  return sampler;
}

Sampler recorded_sampler(const CampaignInfo& info, std::shared_ptr<const NeuronClasses> neurons) {
  const Specification& spec = info.specification;
  std::vector<Site> sites;
  for (const StoredSite& stored : info.sites)
    sites.push_back(site_of(stored));
  SamplingOptions options{.rule = spec.draw,
                          .seed = spec.seed,
                          .inputs = info.inputs,
                          .eligible = info.eligible_inputs,
                          .inputs_in_turn = spec.inputs_in_turn,
                          .faults_per_trial = spec.faults_per_trial};
  options.neurons = std::move(neurons);
  for (const std::string& line : info.list)
    options.list.push_back(parse_recorded_faults(line));
  Sampler sampler(Population(std::move(sites), spec.draw, model_of(info)), std::move(options));
  const bool has_trials = sampler.trials().value_or(info.trials) >= info.trials;
  if (to_string(spec.draw) != info.draw || !has_trials) {
    throw UserError(
        ErrorCode::store,
        "the database is damaged: its specification, sites and number of trials do not fit together");
  }
  return sampler;
}

Shares shares_of_trial(const std::vector<Round>& rounds, int64_t trial) {
  const auto after = std::find_if(rounds.begin(), rounds.end(),
                                  [&](const Round& round) { return round.first_trial > trial; });
  return after == rounds.begin() ? Shares{} : Shares{std::prev(after)->shares};
}

}  // namespace faultwave
