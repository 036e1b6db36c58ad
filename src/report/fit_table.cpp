// SPDX-License-Identifier: Apache-2.0
#include "src/report/fit_table.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "faultwave/campaign.h"
#include "faultwave/error.h"
#include "faultwave/estimates.h"
#include "faultwave/fit.h"

#include "src/campaign/recorded_extensions.h"
#include "src/report/numbers.h"
#include "src/report/text_table.h"

namespace faultwave {
namespace {

using Json = nlohmann::ordered_json;

bool flips_one_bit(const std::optional<BitChange>& change) {
  return change && change->kind == BitChange::Kind::flip;
}

/// Whether each choice of the error model inverts one bit.
bool are_single_flips(const CampaignInfo& info) {
  const std::vector<std::optional<BitChange>> changes = recorded_bit_changes(info);
  return std::all_of(changes.begin(), changes.end(), flips_one_bit);
}

void check_single_flips(const CampaignInfo& info, const Specification& spec) {
  const bool are_flips = spec.draw != DrawRule::list && are_single_flips(info);
  if (are_flips && spec.faults_per_trial == 1) return;
  throw UserError(ErrorCode::usage,
                  "FIT is of upsets of single bits, and the trials of this campaign are not (" +
                      std::string(are_flips ? "several faults each" : info.error) +
                      "): use a campaign of one `flip` a trial");
}

/// How many bits faults are drawn from, of each site.
std::vector<int64_t> bits_of_sites(const CampaignInfo& info) {
  const Sampler sampler = recorded_sampler(info);
  std::vector<int64_t> bits;
  for (size_t site = 0; site < info.sites.size(); ++site)
    bits.push_back(info.sites[site].values * sampler.population().choices(site));
  return bits;
}

/// Whether a trial falls on a layer as often as on any other of so many bits.
bool in_proportion(const CampaignInfo& info, const std::vector<int64_t>& bits, int64_t total) {
  constexpr double kRounding = 1e-9;
  for (size_t site = 0; site < bits.size(); ++site) {
    const double part = static_cast<double>(bits[site]) / static_cast<double>(total);
    if (std::abs(info.sites[site].probability - part) > kRounding * part) return false;
  }
  return true;
}

Interval rate_of_site(const Estimates& estimates, size_t number) {
  return estimates.part(0, [number](int64_t site, int64_t) { return site == static_cast<int64_t>(number); });
}

/// The sum over layers, each at a confidence at which all hold together.
Interval sum_of_layers(const Store& store, const std::vector<int64_t>& bits, double fit_per_megabit) {
  CampaignInfo info = store.info();
  info.confidence = 1 - (1 - info.confidence) / static_cast<double>(bits.size());
  const Estimates estimates(info, store.rounds(), store.cells());
  Interval sum{.estimate = 0, .low = 0, .high = 0, .confidence = store.info().confidence};
  for (size_t site = 0; site < bits.size(); ++site) {
    const Interval layer =
        fit(rate_of_site(estimates, site), static_cast<double>(bits[site]), fit_per_megabit);
    sum.estimate += layer.estimate;
    sum.low += layer.low;
    sum.high += layer.high;
  }
  return sum;
}

std::string text_of(const Interval& failures) {
  return significant(failures.estimate) + " [" + significant(failures.low) + ", " +
         significant(failures.high) + "]";
}

Json json_of(const LayerFit& layer) {
  return {{"bits", layer.bits},
          {"estimate", layer.failures.estimate},
          {"low", layer.failures.low},
          {"high", layer.failures.high},
          {"confidence", layer.failures.confidence}};
}

}  // namespace

FitTable fit_table(const Store& store, double fit_per_megabit) {
  const CampaignInfo& info = store.info();
  check_single_flips(info, info.specification);
  const Estimates estimates(info, store.rounds(), store.cells());
  const std::vector<int64_t> bits = bits_of_sites(info);

  FitTable table{.fit_per_megabit = fit_per_megabit,
                 .criterion = info.criteria.at(0),
                 .total = {"(all)", 0, {}},
                 .layers = {}};
  for (size_t site = 0; site < bits.size(); ++site) {
    const std::string name = std::string(to_string(info.sites[site].kind)) + ":" + info.sites[site].name;
    const Interval failures =
        fit(rate_of_site(estimates, site), static_cast<double>(bits[site]), fit_per_megabit);
    table.layers.push_back({name, bits[site], failures});
    table.total.bits += bits[site];
  }
  table.is_sum_of_layers = !in_proportion(info, bits, table.total.bits);
  table.total.failures = table.is_sum_of_layers ? sum_of_layers(store, bits, fit_per_megabit)
                                                : fit(estimates.overall(0),
                                                      static_cast<double>(table.total.bits), fit_per_megabit);
  return table;
}

std::string fit_text(const FitTable& table) {
  std::vector<LayerFit> layers = table.layers;
  std::stable_sort(layers.begin(), layers.end(), [](const LayerFit& a, const LayerFit& b) {
    if (a.failures.low != b.failures.low) return a.failures.low > b.failures.low;
    return a.failures.estimate > b.failures.estimate;
  });
  layers.insert(layers.begin(), table.total);
  TextTable text;
  text.add({"layer, most FIT first", "bits", "FIT"});
  for (const LayerFit& layer : layers)
    text.add({layer.name, grouped(layer.bits), text_of(layer.failures)});
  return "FIT         failures in 10^9 hours: bits x rate of " + table.criterion + " x " +
         exact(table.fit_per_megabit) + " FIT per Mbit of 10^6 bits\n" +
         (table.is_sum_of_layers ? "            the total is the sum over layers, its ends those of "
                                   "intervals that hold together\n"
                                 : "") +
         "\n" + text.text();
}

std::string with_fit(const std::string& json_report, const FitTable& table) {
  Json layers = Json::array();
  for (const LayerFit& layer : table.layers) {
    Json json = {{"name", layer.name}};
    json.update(json_of(layer));
    layers.push_back(json);
  }
  Json report = Json::parse(json_report);
  report["fit"] = {{"fit_per_megabit", table.fit_per_megabit},
                   {"bits_per_megabit", kBitsPerMegabit},
                   {"criterion", table.criterion},
                   {"total", json_of(table.total)},
                   {"layers", layers}};
  return report.dump(2) + "\n";
}

}  // namespace faultwave
