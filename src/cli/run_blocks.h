// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "faultwave/campaign.h"
#include "faultwave/store.h"

namespace faultwave::cli {

/// What `run` and `resume` share: runs the unfinished blocks under a progress line and prints the report.
/// Throws Interrupted, with how to go on, on Ctrl-C.
void run_blocks(const Campaign& campaign, Store& store, bool quiet);

}  // namespace faultwave::cli
