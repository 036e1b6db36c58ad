// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

/// Records what is done of a block beside what was recorded of it before: rows, packed outcomes, golden
/// classes not yet known. Its counts are the caller's to add, in the same transaction.
void write_block(const Database& database, const CampaignInfo& info, const BlockResult& result,
                 int64_t round);

}  // namespace faultwave
