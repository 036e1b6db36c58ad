// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/cancel.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// Joins the shards of a campaign, in any order, into a new database at `output`: complete or not at all.
/// Exports and reports of the result equal those of a campaign that ran in one piece.
///
/// Throws UserError: mismatch naming what differs for databases of different campaigns, or of one that was
/// split in two ways, or ran on machines that disagree on a golden class; usage for a database that is no
/// shard or not finished, for a shard that is there twice or missing; store for files that cannot be read or
/// created. Returns false if cancelled, which leaves no file.
bool merge_campaigns(const std::vector<std::string>& databases, const std::string& output,
                     const CancelCheck& cancel);

}  // namespace faultwave
#pragma GCC visibility pop
