// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "faultwave/specification.h"

namespace faultwave {

/// Trials of a campaign that only its stop rule ends.
constexpr int64_t kMostTrials = 1'000'000'000;

/// Throws UserError(usage) for a number out of its range (number_ranges()), and for numbers that go too far
/// together. parse_specification has done so already, with the line; this is for those that a program sets.
void check_numbers(const Specification& specification);

/// Likewise for how many trials a campaign comes to, where that follows from its population.
void check_trials(const Specification& specification, int64_t trials);

}  // namespace faultwave
