// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/interval.h"
#include "faultwave/store.h"

namespace faultwave {

/// Failures in 10^9 hours that upsets of a layer's bits cause.
struct LayerFit {
  std::string name;   ///< "output:conv1"; "(all)" for the total
  int64_t bits = 0;   ///< that faults were drawn from
  Interval failures;  ///< FIT
};

struct FitTable {
  double fit_per_megabit = 0;
  std::string criterion;  ///< what counts as a failure: the first of the campaign
  LayerFit total;
  bool is_sum_of_layers = false;  ///< the total's interval is a sum of layers', each at a higher confidence
  std::vector<LayerFit> layers;   ///< in execution order
};

/// For each layer bits x rate of the first criterion x fit_per_megabit; see fit(). A layer has as many bits
/// as single faults can flip at one input: values times choices of the error model.
///
/// The total is that of the rate over all where trials fall on layers in proportion to their bits. Else it is
/// the sum over layers, whose intervals hold together by Bonferroni: each is at a confidence of 1 -
/// (1 - confidence) / layers.
///
/// Throws UserError(usage) unless each trial flips one bit, and for a fit_per_megabit that fit() refuses.
FitTable fit_table(const Store& store, double fit_per_megabit);

/// A table, the layer whose FIT are the most at least (the lower end) first, with what it rests on above.
std::string fit_text(const FitTable& table);

/// The JSON text of a report with the key "fit" added: {"fit_per_megabit", "bits_per_megabit", "criterion",
/// "total": {"bits", "estimate", "low", "high", "confidence"}, "layers": [{"name", ...}, ...]}.
std::string with_fit(const std::string& json_report, const FitTable& table);

}  // namespace faultwave
