// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faultwave/interval.h"
#include "faultwave/paired.h"
#include "faultwave/store.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// Which of two networks fires a criterion more often, as far as the test tells: a p-value of at most one
/// minus the confidence, or exact rates that differ.
enum class Worse : uint8_t { untold, first, second };

/// One criterion in two campaigns with the same faults.
struct ComparedCriterion {
  std::string name;
  PairedCounts counts;
  Interval first;       ///< rate of the first, over the pairs
  Interval second;      ///< likewise
  Interval difference;  ///< first minus second, by paired_difference
  double p_value = 1;   ///< of McNemar's test
  Worse worse = Worse::untold;
};

/// Two campaigns that tried the same faults on the same inputs, trial by trial: "is the protected network
/// better?"
struct Comparison {
  std::string first;  ///< database
  std::string second;
  std::string first_model;  ///< as its specification names it
  std::string second_model;
  int64_t first_trials = 0;  ///< done
  int64_t second_trials = 0;
  int64_t pairs = 0;         ///< trials that both have done
  double confidence = 0.99;  ///< of the first's specification
  bool is_exact = false;     ///< every fault was tried in both: rates without error, nothing to be tested
  bool is_fixed = true;      ///< how many pairs there are does not follow from results
  /// Those that both have, in the order of the first; then "crash" and "hang", if a pair has one.
  std::vector<ComparedCriterion> criteria;
};

/// Pairs trial k with trial k. Networks, their files and types, criteria and numbers of trials may differ.
///
/// Throws UserError(mismatch) if seed, way of drawing, error or inputs differ, or the first trial whose fault
/// or input do, if no finished trial or no criterion is in both, and for stratified campaigns, whose trials
/// do not count alike.
Comparison compare(const Store& first, const Store& second);

/// A table with a line for each criterion.
std::string text_report(const Comparison& comparison);

/// `{"pairs": n, "first": {"database", "model", "trials"}, "second": {...}, "confidence", "exact",
/// "fixed_pairs", "criteria": {"top1": {"both", "first_only", "second_only", "neither", "first": {"estimate",
/// "low", "high"}, "second": {...}, "difference": {...}, "p_value", "worse": "first", "second" or null},
/// ...}}`; the p-value is null where every fault was tried.
std::string json_report(const Comparison& comparison);

}  // namespace faultwave
#pragma GCC visibility pop
