// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "faultwave/campaign.h"
#include "faultwave/store.h"

#include "src/workers/watch_page.h"

namespace faultwave {

/// The engines of a campaign tell the page of their forwards from now on.
void watch_forwards(const Campaign& campaign, WatchPage& page);

/// What a process that a WorkerPool started does: runs the blocks that the lines on the socket name, and
/// sends what comes of them, until the socket ends. `store` is the campaign's, opened for reading. Throws
/// what the campaign throws.
void serve_blocks(const Campaign& campaign, const Store& store, int socket, WatchPage& page);

}  // namespace faultwave
