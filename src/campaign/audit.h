// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "faultwave/engine.h"
#include "faultwave/store.h"

namespace faultwave {

/// Throws Disagreement unless outcomes are equal, and outputs are within rounding.
void check_audit(const Trial& trial, const TrialOutputs& outputs, const TrialOutcome& outcome,
                 const TrialOutputs& exact, const TrialOutcome& exact_outcome);

}  // namespace faultwave
