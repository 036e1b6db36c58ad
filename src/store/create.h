// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

/// Throws UserError(store) if nothing can be created at `path`.
void check_can_create(const std::string& path);

/// Makes an empty database one of a campaign, in one transaction.
void fill_database(const Database& database, const CampaignInfo& info,
                   const std::function<void(const Database&)>& fill = {});

/// A new campaign, without results but for what `fill` writes: all of it, or no file.
void create_database(const std::string& path, const CampaignInfo& info,
                     const std::function<void(const Database&)>& fill = {});

}  // namespace faultwave
