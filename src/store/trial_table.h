// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

void insert_trials(const Database& database, const std::vector<TrialRow>& rows);

/// Rows of a range of trials, ascending; those that were not kept are left out.
std::vector<TrialRow> find_trials(const Database& database, int64_t first_trial, int64_t trials);

std::optional<TrialRow> find_trial(const Database& database, int64_t number);

}  // namespace faultwave
