// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/engine.h"
#include "faultwave/outcome.h"

namespace faultwave::test {

/// How what an engine handed over differs from another's.
struct Difference {
  std::string what;     ///< other shapes, receipts, crashes, places of NaN or Inf, integers; "" for none
  double rounding = 0;  ///< largest change of a finite value, in parts of the largest magnitude of its output
  bool is_of_integers = false;  ///< `what` is, of an output
};
Difference difference_of(const TrialOutputs& a, const TrialOutputs& b);

/// Those of a list of criteria that such outputs can be judged by.
std::vector<CriterionPtr> criteria_for(const std::vector<at::Tensor>& golden);

/// A trial's outcome as a campaign records it: class and criteria that fired.
std::string outcome_text(const TrialOutputs& outputs, const std::vector<CriterionPtr>& criteria);
/// Whether a campaign would run the trial again, really.
bool is_decided_again(const TrialOutputs& outputs, const std::vector<CriterionPtr>& criteria);

}  // namespace faultwave::test
