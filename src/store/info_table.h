// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

/// Fills the tables campaign, criteria and sites.
void write_info(const Database& database, const CampaignInfo& info);

/// Reads them. Throws UserError(store) if something is missing.
CampaignInfo read_info(const Database& database, const std::string& path);

/// Why the campaign is at its end.
void write_ended(const Database& database, const std::string& reason);

/// "3,4,5", and back, which throws std::bad_optional_access for a text that is none.
std::string join_numbers(const std::vector<int64_t>& numbers);
std::vector<int64_t> split_numbers(const std::string& text);

}  // namespace faultwave
