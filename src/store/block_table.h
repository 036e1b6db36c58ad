// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

/// Records a block: its rows, its packed outcomes, golden classes not yet known. Its counts are the caller's
/// to add, in the same transaction.
void insert_block(const Database& database, const CampaignInfo& info, const BlockResult& result,
                  int64_t round);

}  // namespace faultwave
