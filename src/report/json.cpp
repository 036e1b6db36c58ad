// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "faultwave/report.h"

namespace faultwave {
namespace {

using Json = nlohmann::ordered_json;

Json outcomes_of(const RateGroup& group, const std::vector<std::string>& criteria) {
  Json outcomes = Json::object();
  for (size_t i = 0; i < criteria.size(); ++i) {
    const Interval& rate = group.rates[i];
    outcomes[criteria[i]] = {{"count", group.tally.fired[i]},
                             {"estimate", rate.estimate},
                             {"low", rate.low},
                             {"high", rate.high},
                             {"confidence", rate.confidence}};
  }
  return outcomes;
}

Json classes_of(const Tally& tally) {
  Json classes = Json::object();
  for (const OutcomeClass outcome :
       {OutcomeClass::masked, OutcomeClass::benign, OutcomeClass::sdc, OutcomeClass::due}) {
    classes[std::string(to_string(outcome))] = tally.classes[static_cast<size_t>(outcome)];
  }
  return classes;
}

Json campaign_of(const CampaignInfo& info) {
  Json campaign = {{"trials", info.trials}, {"seed", info.seed}, {"inputs", info.inputs},
                   {"error", info.error},   {"draw", info.draw}, {"criteria", info.criteria_text}};
  campaign["rate_over_all"] = info.draw == "bits" ? "mean over bits" : "mean over layers";
  campaign["interval"] = "Clopper-Pearson";
  return campaign;
}

Json layers_of(const Summary& summary) {
  Json layers = Json::array();
  for (size_t i = 0; i < summary.layers.size(); ++i) {
    const StoredSite& site = summary.info.sites[i];
    const RateGroup& group = summary.layers[i];
    layers.push_back({{"site", site.name},
                      {"kind", to_string(site.kind)},
                      {"values", site.values},
                      {"bits", site.bits},
                      {"probability", site.probability},
                      {"trials", group.tally.trials},
                      {"classes", classes_of(group.tally)},
                      {"outcomes", outcomes_of(group, summary.info.criteria)}});
  }
  return layers;
}

}  // namespace

std::string json_report(const Summary& summary) {
  const Tally& tally = summary.overall.tally;
  Json report = {{"trials", tally.trials},
                 {"classes", classes_of(tally)},
                 {"outcomes", outcomes_of(summary.overall, summary.info.criteria)}};
  if (!summary.info.labels_fingerprint.empty() && tally.trials > 0) {
    const auto trials = static_cast<double>(tally.trials);
    report["accuracy"] = {{"golden", tally.golden_right / trials}, {"faulty", tally.faulty_right / trials}};
  }
  report["layers"] = layers_of(summary);
  report["campaign"] = campaign_of(summary.info);
  return report.dump(2) + "\n";
}

}  // namespace faultwave
