// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "faultwave/report.h"

namespace faultwave {
namespace {

using Json = nlohmann::ordered_json;

Json rate_of(const Interval& rate) {
  return {
      {"estimate", rate.estimate}, {"low", rate.low}, {"high", rate.high}, {"confidence", rate.confidence}};
}

Json counted(int64_t count, const Interval& rate) {
  Json json = {{"count", count}};
  json.update(rate_of(rate));
  return json;
}

Json outcomes_of(const RateGroup& group, const std::vector<std::string>& criteria) {
  Json outcomes = Json::object();
  for (size_t i = 0; i < criteria.size(); ++i)
    outcomes[criteria[i]] = counted(group.tally.fired[i], group.rates[i]);
  outcomes["crash"] = counted(group.tally.of(OutcomeClass::crash), group.crash);
  outcomes["hang"] = counted(group.tally.of(OutcomeClass::hang), group.hang);
  return outcomes;
}

Json classes_of(const Tally& tally, bool is_judged) {
  Json classes = Json::object();
  for (const OutcomeClass outcome : kOutcomeClasses)
    classes[std::string(outcome_name(outcome, is_judged))] = tally.of(outcome);
  return classes;
}

Json accuracy_of(const Accuracy& accuracy) {
  return {{"golden", accuracy.golden()},
          {"inputs", accuracy.inputs},
          {"faulty", accuracy.faulty()},
          {"lost", rate_of(accuracy.lost)},
          {"won", rate_of(accuracy.won)}};
}

Json campaign_of(const CampaignInfo& info) {
  Json campaign = {{"trials", info.trials}, {"seed", info.seed}, {"inputs", info.inputs},
                   {"error", info.error},   {"draw", info.draw}, {"criteria", info.criteria_text}};
  campaign["criteria_chosen"] = !names_criteria(info);
  campaign["inputs_drawn_from"] =
      info.eligible_inputs.empty() ? info.inputs : static_cast<int64_t>(info.eligible_inputs.size());
  campaign["rate_over_all"] = info.draw == "layers" ? "mean over layers" : "mean over bits";
  return campaign;
}

Json group_of(const Summary& summary, size_t number) {
  const RateGroup& group = summary.groups[number];
  Json json;
  if (summary.by == GroupBy::layer) {
    const StoredSite& site = summary.info.sites[number];
    json = {{"site", site.name},
            {"kind", to_string(site.kind)},
            {"values", site.values},
            {"bits", site.bits},
            {"probability", site.probability}};
  } else {
    json["name"] = group.name;
  }
  json["trials"] = group.tally.trials;
  json["classes"] = classes_of(group.tally, judges_finite(summary.info.criteria));
  json["outcomes"] = outcomes_of(group, summary.info.criteria);
  return json;
}

Json groups_of(const Summary& summary) {
  Json groups = Json::array();
  for (size_t i = 0; i < summary.groups.size(); ++i)
    groups.push_back(group_of(summary, i));
  return groups;
}

std::string list_name(GroupBy by) {
  const std::string name(to_string(by));
  return name + (name.back() == 's' ? "es" : "s");
}

}  // namespace

std::string json_report(const Summary& summary) {
  const Tally& tally = summary.overall.tally;
  Json report = {{"trials", tally.trials},
                 {"classes", classes_of(tally, judges_finite(summary.info.criteria))},
                 {"outcomes", outcomes_of(summary.overall, summary.info.criteria)}};
  if (summary.accuracy) report["accuracy"] = accuracy_of(*summary.accuracy);
  report[list_name(summary.by)] = groups_of(summary);
  report["campaign"] = campaign_of(summary.info);
  report["campaign"]["interval"] = to_string(summary.interval);
  report["campaign"]["ended"] = summary.ended;
  report["campaign"]["shard"] = to_string(summary.info.shard);
  return report.dump(2) + "\n";
}

}  // namespace faultwave
