// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "faultwave/store.h"

namespace faultwave {

/// Throws UserError(store) if nothing can be created at `path`.
void check_can_create(const std::string& path);

/// A new campaign without results: all of it, or no file.
void create_database(const std::string& path, const CampaignInfo& info);

}  // namespace faultwave
