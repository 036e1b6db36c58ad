// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace faultwave {

/// `PRAGMA application_id` of a campaign: "FwAv" in ASCII.
constexpr int64_t kApplicationId = 0x46774176;
/// `PRAGMA user_version`. Raised by any change that older programs cannot read.
constexpr int64_t kSchemaVersion = 5;

/// Statements that make the empty tables. docs/campaigns.md explains them column by column.
extern const char* const kSchema;

}  // namespace faultwave
