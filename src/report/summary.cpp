// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "faultwave/campaign.h"
#include "faultwave/error.h"
#include "faultwave/report.h"

#include "src/report/neuron_parts.h"
#include "src/report/walk_trials.h"

namespace faultwave {
namespace {

constexpr std::array<std::pair<GroupBy, const char*>, 5> kGroupings = {{
    {GroupBy::layer, "layer"},
    {GroupBy::bit, "bit"},
    {GroupBy::channel, "channel"},
    {GroupBy::golden_class, "class"},
    {GroupBy::input, "input"},
}};

std::string site_text(const StoredSite& site) {
  return std::string(to_string(site.kind)) + ":" + site.name;
}

bool everywhere(int64_t, int64_t) {
  return true;
}

RateGroup group_of(const std::string& name, const Estimates& estimates, const CampaignInfo& info,
                   const Estimates::Part& within, const std::vector<CellTally>& counts,
                   const std::vector<double>& neurons = {}) {
  RateGroup group{.name = name, .tally = Tally(info.criteria.size()), .rates = {}};
  for (const CellTally& cell : counts) {
    if (within(cell.site, cell.choice)) group.tally += cell.tally;
  }
  for (size_t criterion = 0; criterion < info.criteria.size(); ++criterion)
    group.rates.push_back(estimates.part(criterion, within, counts, neurons));
  group.crash = estimates.part(Counted::What::crash, within, counts, neurons);
  group.hang = estimates.part(Counted::What::hang, within, counts, neurons);
  return group;
}

std::vector<RateGroup> by_layer(const Estimates& estimates, const CampaignInfo& info) {
  std::vector<RateGroup> groups;
  for (size_t number = 0; number < info.sites.size(); ++number) {
    const auto within = [&](int64_t site, int64_t) { return site == static_cast<int64_t>(number); };
    groups.push_back(group_of(site_text(info.sites[number]), estimates, info, within, estimates.cells()));
  }
  return groups;
}

std::vector<RateGroup> by_bit(const Estimates& estimates, const CampaignInfo& info) {
  std::vector<RateGroup> groups;
  for (size_t number = 0; number < info.choices.size(); ++number) {
    const auto within = [&](int64_t, int64_t choice) { return choice == static_cast<int64_t>(number); };
    groups.push_back(group_of(info.choices[number], estimates, info, within, estimates.cells()));
  }
  return groups;
}

using Key = NeuronParts::Key;
using CellKey = std::tuple<int64_t, int64_t, int64_t, int64_t>;  // round, stratum, site, choice

std::string name_of(GroupBy by, const CampaignInfo& info, const Key& key) {
  if (by == GroupBy::input) return "input " + std::to_string(key.second);
  if (by == GroupBy::golden_class) return key.second < 0 ? "no class" : "class " + std::to_string(key.second);
  const StoredSite& site = info.sites.at(static_cast<size_t>(key.first));
  return site_text(site) + (site.channel_axis < 0 ? "" : "[ch=" + std::to_string(key.second) + "]");
}

std::vector<RateGroup> by_walking(const Store& store, const Estimates& estimates, GroupBy by) {
  const CampaignInfo& info = store.info();
  const std::map<int64_t, int64_t> classes = store.golden_classes();
  std::map<Key, std::map<CellKey, Tally>> tallies;
  const Sampler sampler = recorded_sampler(store);
  NeuronParts parts(sampler.strata(), info, classes);
  walk_trials(store, sampler,
              [&](int64_t, int64_t round, const Sampler::Located& drawn, const TrialOutcome& outcome) {
                Key key{-1, drawn.input};
                if (by == GroupBy::golden_class) key.second = class_of(classes, drawn.input);
                if (by == GroupBy::channel) {
                  const auto& site = info.sites[static_cast<size_t>(drawn.place.site)];
                  key = {drawn.place.site, channel_of(site, drawn.place.element)};
                }
                tallies[key]
                    .try_emplace({round, outcome.stratum, outcome.site, outcome.choice}, info.criteria.size())
                    .first->second.add(outcome);
              });
  std::vector<RateGroup> groups;
  for (auto& [key, by_cell] : tallies) {
    std::vector<CellTally> counts;
    for (auto& [cell, tally] : by_cell)
      counts.push_back(
          {std::get<0>(cell), std::get<1>(cell), std::get<2>(cell), std::get<3>(cell), std::move(tally)});
    const int64_t only = key.first;
    const auto within = [only](int64_t site, int64_t) { return only < 0 || site == only; };
    groups.push_back(group_of(name_of(by, info, key), estimates, info, within, counts, parts.of(by, key)));
  }
  return groups;
}

std::optional<Accuracy> accuracy_of(const Store& store, const Estimates& estimates) {
  const std::vector<int64_t>& labels = store.info().labels;
  Accuracy accuracy;
  for (const auto& [input, best] : store.golden_classes()) {
    if (input < 0 || input >= static_cast<int64_t>(labels.size())) continue;
    ++accuracy.inputs;
    accuracy.golden_right += best == labels[static_cast<size_t>(input)];
  }
  if (accuracy.inputs == 0 || estimates.cells().empty()) return std::nullopt;
  accuracy.lost = estimates.overall(Counted::What::right_lost);
  accuracy.won = estimates.overall(Counted::What::right_won);
  return accuracy;
}

}  // namespace

std::string_view to_string(GroupBy by) {
  for (const auto& [grouping, name] : kGroupings) {
    if (grouping == by) return name;
  }
  throw InternalError("a grouping without a name");
}

GroupBy parse_group_by(std::string_view text) {
  for (const auto& [grouping, name] : kGroupings) {
    if (text == name) return grouping;
  }
  throw UserError(ErrorCode::usage, "cannot group by '" + std::string(text) +
                                        "': expected layer, bit, channel, class or input");
}

Summary summarize(const Store& store, GroupBy by) {
  Summary summary;
  summary.info = store.info();
  summary.ended = store.ended();
  summary.by = by;
  const Specification& spec = summary.info.specification;
  summary.engine = spec.engine;
  summary.counts = store.engine_counts();
  summary.has_layers = spec.faults_per_trial == 1;

  const Estimates estimates(summary.info, store.rounds(), store.cells());
  summary.interval = estimates.kind();
  summary.overall = group_of("(all)", estimates, summary.info, everywhere, estimates.cells());
  // The sequence that the stop rule looks at, which is aimed at its half-width.
  for (size_t criterion = 0; criterion < summary.info.criteria.size(); ++criterion)
    summary.overall.rates[criterion] = estimates.overall(criterion);
  summary.overall.crash = estimates.overall(Counted::What::crash);
  summary.overall.hang = estimates.overall(Counted::What::hang);
  summary.accuracy = accuracy_of(store, estimates);
  const bool needs_places = by == GroupBy::layer || by == GroupBy::bit || by == GroupBy::channel;
  if (needs_places && !summary.has_layers) return summary;
  if (by == GroupBy::layer) {
    summary.groups = by_layer(estimates, summary.info);
  } else if (by == GroupBy::bit) {
    summary.groups = by_bit(estimates, summary.info);
  } else {
    summary.groups = by_walking(store, estimates, by);
  }
  return summary;
}

}  // namespace faultwave
