// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <sstream>

#include "faultwave/report.h"

#include "src/report/numbers.h"
#include "src/report/text_table.h"

namespace faultwave {
namespace {

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
  const bool is_latin = thing == "stratum";
  return grouped(count) + " " + (count == 1 ? thing : is_latin ? "strata" : thing + "s");
}

/// Those that are drawn from, where they are not all.
std::string inputs_text(const CampaignInfo& info) {
  if (info.eligible_inputs.empty()) return count_of(info.inputs, "input");
  return grouped(static_cast<int64_t>(info.eligible_inputs.size())) + " of " +
         count_of(info.inputs, "input") + ", those that the network gets right";
}

std::string population_line(const CampaignInfo& info) {
  int64_t values = 0;
  int64_t bits = 0;
  for (const StoredSite& site : info.sites) {
    values += site.values;
    bits += site.values * site.bits;
  }
  return count_of(static_cast<int64_t>(info.sites.size()), site_kinds(info) + " site") + " with " +
         count_of(values, "value") + " of " + count_of(bits, "bit") + "; " + inputs_text(info);
}

bool goes_by_neurons(const CampaignInfo& info) {
  return std::any_of(info.strata.begin(), info.strata.end(), [](const StoredStratum& stratum) {
    return stratum.neuron_classes != NeuronClasses::kAll || stratum.levels > 1;
  });
}

std::string sampling_line(const CampaignInfo& info) {
  const DrawRule rule = parse_draw_rule(info.draw);
  const std::string seed = "; seed " + std::to_string(info.seed);
  switch (rule) {
    case DrawRule::bits:
      return "input, then bit, each uniformly over all" + seed;
    case DrawRule::layers:
      return "input, then layer, then value, each uniformly: rates over all are means over layers, not over "
             "bits" +
             seed;
    case DrawRule::stratified:
      return count_of(static_cast<int64_t>(info.strata.size()), "stratum") +
             (goes_by_neurons(info) ? " of layer, class of bit, value and margin"
                                    : " of layer and class of bit") +
             ", drawn from as results ask for; rates are over all bits alike" + seed;
    case DrawRule::exhaustive:
      return "every bit of every value of every input";
    case DrawRule::list:
      break;
  }
  return count_of(static_cast<int64_t>(info.list.size()), "fault line") + " of a list, each on every input";
}

std::string interval_text(IntervalKind kind) {
  switch (kind) {
    case IntervalKind::exact:
      return "none: every fault was tried";
    case IntervalKind::binomial:
      return "Clopper-Pearson";
    case IntervalKind::sequential:
      break;
  }
  return "confidence sequence, valid whenever one stops";
}

std::string trials_line(const Summary& summary) {
  const CampaignInfo& info = summary.info;
  const int64_t trials = summary.overall.tally.trials;
  if (summary.ended == "half width") return grouped(trials) + ", when the interval was narrow enough";
  if (summary.ended == "time") return grouped(trials) + ", when the time was over";
  if (trials == info.trials) return grouped(trials);
  const std::string shard = info.shard.is_whole() ? ""
                                                  : ", shard " + std::to_string(info.shard.number) + " of " +
                                                        std::to_string(info.shard.of);
  return grouped(trials) + " of " + grouped(info.trials) + shard +
         (summary.ended == "shard" ? "" : " (not finished)");
}

std::string classes_line(const Tally& tally, bool is_judged) {
  std::string text;
  for (const OutcomeClass outcome : kOutcomeClasses) {
    const int64_t count = tally.of(outcome);
    const bool is_usual = outcome != OutcomeClass::crash && outcome != OutcomeClass::hang;
    if (count == 0 && !is_usual) continue;
    text += (text.empty() ? "" : ", ") + std::string(outcome_name(outcome, is_judged)) + " " + grouped(count);
    if (tally.trials > 0) text += " (" + percent(static_cast<double>(count) / tally.trials) + ")";
  }
  return text;
}

std::string criteria_line(const CampaignInfo& info) {
  if (names_criteria(info)) return joined(info.criteria_text);
  if (judges_finite(info.criteria)) return joined(info.criteria_text) + " (chosen to fit the outputs)";
  return joined(info.criteria_text) + " alone, since none was named and no other fits the outputs";
}

std::string engine_line(const Summary& summary) {
  std::string text = summary.engine;
  if (summary.counts.decided_again > 0)
    text += ", " + grouped(summary.counts.decided_again) + " near a border decided by real faulty runs";
  if (summary.counts.audited > 0)
    text += ", " + grouped(summary.counts.audited) + " audited by real faulty runs: all agree";
  return text;
}

std::string accuracy_line(const Accuracy& accuracy) {
  return "golden " + percent(accuracy.golden()) + " of " + count_of(accuracy.inputs, "input") + ", faulty " +
         percent(accuracy.faulty()) + ": right answers lost " + percent(accuracy.lost) + ", won " +
         percent(accuracy.won);
}

std::string heading(const Summary& summary) {
  const CampaignInfo& info = summary.info;
  const Tally& tally = summary.overall.tally;
  std::ostringstream text;
  text << "Trials      " << trials_line(summary);
  text << "\nPopulation  " << population_line(info) << "\nSampling    " << sampling_line(info)
       << "\nError       " << info.error << "\nCriteria    " << criteria_line(info) << "\nIntervals   "
       << exact(100 * info.confidence) << " %, " << interval_text(summary.interval) << "\nOutcomes    "
       << classes_line(tally, judges_finite(info.criteria))
       << (info.strata.empty() ? "" : " as drawn, not weighted") << "\n";
  if (summary.engine != "direct" && summary.counts.decided_again + summary.counts.audited > 0)
    text << "Engine      " << engine_line(summary) << "\n";
  if (summary.accuracy) text << "Accuracy    " << accuracy_line(*summary.accuracy) << "\n";
  return text.str();
}

/// Groups that trials fell in, by what the rate of the first criterion is at least: a rate of two or three
/// trials says little, however high. Where that is the same (none had an event, say), more trials come first.
std::vector<size_t> worst_first(const Summary& summary) {
  std::vector<size_t> order(summary.groups.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t group) { return summary.groups[group].tally.trials == 0; });
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const RateGroup& first = summary.groups[a];
    const RateGroup& second = summary.groups[b];
    if (first.rates[0].low != second.rates[0].low) return first.rates[0].low > second.rates[0].low;
    return first.tally.trials > second.tally.trials;
  });
  return order;
}

std::string wrapped_lines(const std::string& lines, size_t width) {
  constexpr size_t kIndent = 12;  // of what follows the heading's words
  std::istringstream stream(lines);
  std::string text;
  for (std::string line; std::getline(stream, line);)
    text += wrapped(line, width, kIndent) + "\n";
  return text;
}

/// `like` has crashes or hangs where the table has a column of them.
std::vector<std::string> row_of(const RateGroup& group, const RateGroup& like) {
  std::vector<std::string> cells = {group.name, grouped(group.tally.trials)};
  for (const Interval& rate : group.rates)
    cells.push_back(percent(rate));
  if (like.tally.of(OutcomeClass::crash) > 0) cells.push_back(percent(group.crash));
  if (like.tally.of(OutcomeClass::hang) > 0) cells.push_back(percent(group.hang));
  return cells;
}

/// "layer" and "layers", "class" and "classes".
std::string count_of_groups(size_t count, GroupBy by) {
  const std::string name(to_string(by));
  const std::string plural = name + (name.back() == 's' ? "es" : "s");
  return grouped(static_cast<int64_t>(count)) + " " + (count == 1 ? name : plural);
}

}  // namespace

std::string text_report(const Summary& summary, size_t most, size_t width) {
  const CampaignInfo& info = summary.info;
  const std::vector<size_t> order = worst_first(summary);
  const size_t shown = most == 0 ? order.size() : std::min(most, order.size());

  TextTable table;
  std::vector<std::string> names = {std::string(to_string(summary.by)) + ", worst first", "trials"};
  names.insert(names.end(), info.criteria.begin(), info.criteria.end());
  for (const OutcomeClass outcome : {OutcomeClass::crash, OutcomeClass::hang}) {
    if (summary.overall.tally.of(outcome) > 0) names.emplace_back(to_string(outcome));
  }
  table.add(names);
  table.add(row_of(summary.overall, summary.overall));
  for (size_t i = 0; i < shown; ++i)
    table.add(row_of(summary.groups[order[i]], summary.overall));
  std::string text = wrapped_lines(heading(summary), width) + "\n" + table.text(width);
  if (!summary.has_layers)
    text += "A trial has several faults, so there is no table by layer, bit or channel.\n";
  if (shown < order.size())
    text += "... and " + count_of_groups(order.size() - shown, summary.by) + " more\n";
  const size_t untouched = summary.groups.size() - order.size();
  if (untouched > 0) text += "No trial fell on " + count_of_groups(untouched, summary.by) + ".\n";
  return text;
}

}  // namespace faultwave
