// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

/// Whether what a database says fits together: numbers in their ranges, and sites, strata, rounds, blocks,
/// counts and rows with each other. SQLite only knows whether its own structure is whole. Reads all but the
/// outcomes themselves, in one consistent state. Throws UserError(store), "'PATH' is damaged: WHAT".
void check_campaign(const Database& database, const CampaignInfo& info, const std::string& path);

/// Whether a row names a place that the campaign has; likewise.
void check_row(const TrialRow& row, const CampaignInfo& info, const std::string& path);

}  // namespace faultwave
