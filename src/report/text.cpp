// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <sstream>

#include "faultwave/report.h"

#include "src/report/numbers.h"

namespace faultwave {
namespace {

/// Columns padded to their widest cell: the first to the left, the others to the right.
class Table {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string text() const {
    std::vector<size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (size_t i = 0; i < row.size(); ++i)
        widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows_) {
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string padding(widths[i] - row[i].size(), ' ');
        text += (i == 0 ? "" : "  ") + (i == 0 ? row[i] + padding : padding + row[i]);
      }
      text += '\n';
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string site_kinds(const CampaignInfo& info) {
  std::vector<std::string> kinds;
  for (const StoredSite& site : info.sites) {
    const std::string kind(to_string(site.kind));
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  return joined(kinds);
}

std::string count_of(int64_t count, const std::string& thing) {
  return grouped(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string population_line(const CampaignInfo& info) {
  int64_t values = 0;
  int64_t bits = 0;
  for (const StoredSite& site : info.sites) {
    values += site.values;
    bits += site.values * site.bits;
  }
  return count_of(static_cast<int64_t>(info.sites.size()), site_kinds(info) + " site") + " with " +
         count_of(values, "value") + " of " + count_of(bits, "bit") + "; " + count_of(info.inputs, "input");
}

std::string sampling_line(const CampaignInfo& info) {
  const std::string seed = "; seed " + std::to_string(info.seed);
  if (info.draw == "bits") return "input, then bit, each uniformly over all" + seed;
  return "input, then layer, then value, each uniformly: a rate over all is the mean over layers, not over "
         "bits" +
         seed;
}

std::string classes_line(const Tally& tally) {
  std::string text;
  for (const OutcomeClass outcome :
       {OutcomeClass::masked, OutcomeClass::benign, OutcomeClass::sdc, OutcomeClass::due}) {
    const int64_t count = tally.classes[static_cast<size_t>(outcome)];
    text += (text.empty() ? "" : ", ") + std::string(to_string(outcome)) + " " + grouped(count);
    if (tally.trials > 0) text += " (" + percent(static_cast<double>(count) / tally.trials) + ")";
  }
  return text;
}

std::string heading(const Summary& summary) {
  const CampaignInfo& info = summary.info;
  const Tally& tally = summary.overall.tally;
  std::ostringstream text;
  text << "Trials      " << grouped(tally.trials);
  if (tally.trials < info.trials) text << " of " << grouped(info.trials) << " (not finished)";
  text << "\nPopulation  " << population_line(info) << "\nSampling    " << sampling_line(info)
       << "\nError       " << info.error << "\nCriteria    " << joined(info.criteria_text) << "\nIntervals   "
       << exact(100 * info.confidence) << " %, Clopper-Pearson"
       << "\nOutcomes    " << classes_line(tally) << "\n";
  if (!info.labels_fingerprint.empty() && tally.trials > 0) {
    text << "Accuracy    golden " << percent(static_cast<double>(tally.golden_right) / tally.trials)
         << ", faulty " << percent(static_cast<double>(tally.faulty_right) / tally.trials) << "\n";
  }
  return text.str();
}

/// Layers that trials fell on, by the rate of the first criterion; the layer with more trials first where it
/// is equal.
std::vector<size_t> worst_first(const Summary& summary) {
  std::vector<size_t> order(summary.layers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t layer) { return summary.layers[layer].tally.trials == 0; });
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const RateGroup& first = summary.layers[a];
    const RateGroup& second = summary.layers[b];
    if (first.rates[0].estimate != second.rates[0].estimate) {
      return first.rates[0].estimate > second.rates[0].estimate;
    }
    return first.tally.trials > second.tally.trials;
  });
  return order;
}

std::vector<std::string> row_of(const std::string& name, const RateGroup& group) {
  std::vector<std::string> cells = {name, grouped(group.tally.trials)};
  for (const Interval& rate : group.rates)
    cells.push_back(percent(rate));
  return cells;
}

}  // namespace

std::string text_report(const Summary& summary, size_t most_layers) {
  const CampaignInfo& info = summary.info;
  const std::vector<size_t> order = worst_first(summary);
  const size_t shown = most_layers == 0 ? order.size() : std::min(most_layers, order.size());

  Table table;
  std::vector<std::string> names = {"layer, worst " + info.criteria[0] + " first", "trials"};
  names.insert(names.end(), info.criteria.begin(), info.criteria.end());
  table.add(names);
  table.add(row_of("(all)", summary.overall));
  for (size_t i = 0; i < shown; ++i) {
    const StoredSite& site = info.sites[order[i]];
    table.add(row_of(std::string(to_string(site.kind)) + ":" + site.name, summary.layers[order[i]]));
  }
  std::string text = heading(summary) + "\n" + table.text();
  if (shown < order.size())
    text += "... and " + count_of(static_cast<int64_t>(order.size() - shown), "layer") + " more\n";
  const auto untouched = static_cast<int64_t>(info.sites.size() - order.size());
  if (untouched > 0) text += "No trial fell on " + count_of(untouched, "layer") + ".\n";
  return text;
}

}  // namespace faultwave
