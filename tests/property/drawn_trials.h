// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "faultwave/engine.h"
#include "faultwave/injector.h"

namespace faultwave::test {

/// Trials of one to three faults in sites of all kinds, single values and many: tiny and huge ones, NaN, Inf,
/// zeros of either sign, denormal ones, flips. Trial i is a function of the key and i alone.
std::vector<Trial> draw_trials(const Injector& injector, int64_t inputs, int count, uint64_t key);

}  // namespace faultwave::test
