// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "faultwave/site.h"

namespace faultwave {

/// About how many seconds one forward of one input takes on two cores of a usual machine, from the shapes of
/// a network's sites alone: the same on every machine, at every time. It may well be wrong by a factor of
/// three; it says how much work is lost at most where a campaign is killed.
double expected_forward_seconds(const std::vector<Site>& sites);

}  // namespace faultwave
