// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "faultwave/wave_engine.h"

#include "src/wave/rule.h"

namespace faultwave::wave {

/// Where the trials of a call differ in its results, one shadow a tensor. The call is asked of its rules as a
/// whole; if none is made for it, trials that differ in the same arguments are asked for together, so that a
/// trial with a fault in a weight does not take the rule from those that differ in the activation. What is
/// left goes the generic way, which is counted in the report.
std::vector<Shadow> shadows_of_results(const Call& call, WaveReport& report);

}  // namespace faultwave::wave
