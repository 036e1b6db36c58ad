// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "faultwave/specification.h"
#include "faultwave/store.h"

namespace faultwave {

/// The round that follows `before`, without shares; empty (no trials) after the last. A campaign that does
/// not look at results has one round of all its trials. Others begin with Specification::round trials, and
/// each further round has an eighth of the trials before it, or as many as the first if that is more: a
/// decision is never late by more than an eighth, and there are few to remember. Where the campaign ends by
/// its half-width and `half_width` is the widest so far, a round ends where the target is to be expected (an
/// interval narrows as one over the root of the trials) if that is sooner, but has a 64th of the trials
/// before it at least. Rounds are whole blocks.
Round next_round(const Specification& specification, int64_t trials, const std::vector<Round>& before,
                 double half_width = 1);

}  // namespace faultwave
