// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

/// Adds outcomes of a block to the counts of its round; those of trials that are not done are left out.
void add_to_cells(const Database& database, const CampaignInfo& info, int64_t round,
                  const std::vector<TrialOutcome>& outcomes);

/// Adds counts to those of their cells.
void add_cells(const Database& database, const CampaignInfo& info, const std::vector<CellTally>& cells);

/// By round, site and choice, ascending.
std::vector<CellTally> read_cells(const Database& database, const CampaignInfo& info);

}  // namespace faultwave
