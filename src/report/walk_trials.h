// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "faultwave/sampler.h"
#include "faultwave/store.h"

namespace faultwave {

/// Calls `visit` for each finished trial of a campaign, ascending: its number, its round, where its fault
/// lies, and its outcome. The place is drawn again from the key, the outcome read from the packed ones, so
/// that trials without a row are seen too. About half a microsecond a trial.
void walk_trials(const Store& store, const Sampler& sampler,
                 const std::function<void(int64_t trial, int64_t round, const Sampler::Located& place,
                                          const TrialOutcome& outcome)>& visit);

/// Likewise with a whole row for each; of trials without one of their own, what the key and the outcome say.
void walk_rows(const Store& store, const Sampler& sampler, const std::function<void(const TrialRow&)>& visit);

}  // namespace faultwave
