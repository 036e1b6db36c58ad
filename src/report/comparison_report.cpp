// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "faultwave/comparison.h"

#include "src/report/numbers.h"
#include "src/report/text_table.h"

namespace faultwave {
namespace {

using Json = nlohmann::ordered_json;

std::string side_line(const std::string& database, const std::string& model, int64_t trials) {
  return database + ": " + model + ", " + grouped(trials) + " trials";
}

std::string intervals_line(const Comparison& comparison) {
  if (comparison.is_exact) return "none: every fault was tried on both";
  const std::string confidence = exact(100 * comparison.confidence) + " %";
  if (comparison.is_fixed)
    return confidence + " at least, rates Clopper-Pearson; p of McNemar's exact test, two-sided, told from " +
           significant(1 - comparison.confidence) + " down";
  return confidence +
         " and p as for a fixed number of pairs; here it followed from results, so take both as "
         "approximate";
}

/// "A" or "B", or in JSON names, or what stands for neither.
template <typename Text>
Text worse_text(Worse worse, const Text& first, const Text& second, const Text& untold) {
  if (worse == Worse::untold) return untold;
  return worse == Worse::first ? first : second;
}

Json estimate_and_limits(const Interval& interval) {
  return {{"estimate", interval.estimate}, {"low", interval.low}, {"high", interval.high}};
}

}  // namespace

std::string text_report(const Comparison& comparison) {
  std::string text =
      "A           " + side_line(comparison.first, comparison.first_model, comparison.first_trials) +
      "\nB           " + side_line(comparison.second, comparison.second_model, comparison.second_trials) +
      "\nPairs       " + grouped(comparison.pairs) + " trials with the same fault on the same input" +
      "\nIntervals   " + intervals_line(comparison) + "\n\n";
  TextTable table;
  table.add({"criterion", "both", "only A", "only B", "neither", "A", "B", "A - B", "p", "worse"});
  for (const ComparedCriterion& criterion : comparison.criteria) {
    const PairedCounts& counts = criterion.counts;
    table.add({criterion.name, grouped(counts.both), grouped(counts.first_only), grouped(counts.second_only),
               grouped(counts.neither), percent(criterion.first), percent(criterion.second),
               percent(criterion.difference), comparison.is_exact ? "-" : significant(criterion.p_value),
               worse_text<std::string>(criterion.worse, "A", "B", "-")});
  }
  return text + table.text();
}

std::string json_report(const Comparison& comparison) {
  Json report = {{"pairs", comparison.pairs}};
  report["first"] = {
      {"database", comparison.first}, {"model", comparison.first_model}, {"trials", comparison.first_trials}};
  report["second"] = {{"database", comparison.second},
                      {"model", comparison.second_model},
                      {"trials", comparison.second_trials}};
  report["confidence"] = comparison.confidence;
  report["exact"] = comparison.is_exact;
  report["fixed_pairs"] = comparison.is_fixed;
  report["criteria"] = Json::object();
  for (const ComparedCriterion& criterion : comparison.criteria) {
    report["criteria"][criterion.name] = {
        {"both", criterion.counts.both},
        {"first_only", criterion.counts.first_only},
        {"second_only", criterion.counts.second_only},
        {"neither", criterion.counts.neither},
        {"first", estimate_and_limits(criterion.first)},
        {"second", estimate_and_limits(criterion.second)},
        {"difference", estimate_and_limits(criterion.difference)},
        {"p_value", comparison.is_exact ? Json() : Json(criterion.p_value)},
        {"worse", worse_text<Json>(criterion.worse, "first", "second", {})}};
  }
  return report.dump(2) + "\n";
}

}  // namespace faultwave
