// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

void insert_trials(const Database& database, const std::vector<TrialRow>& rows);

/// Visits all rows, ascending.
void visit_trials(const Database& database, const std::function<void(const TrialRow&)>& visit);

std::optional<TrialRow> find_trial(const Database& database, int64_t number);

}  // namespace faultwave
