// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "src/workers/ended_process.h"
#include "src/workers/watch_page.h"

namespace faultwave {

/// Runs `work` in a child of this process, which must have no threads yet, and returns there; this process
/// looks on. A fault may make a network loop for ever, or end its process: if the child ends within a forward
/// with faults, or that takes too long, `go_on` is called in another child, with what is known.
///
/// Ctrl-C and SIGTERM come to this process alone. The child is told by its page and has a second to end in
/// order, which loses nothing that is finished; then, or by a second signal, it is killed. `interrupted` says
/// what is told in that case. Where the child does not end in order, this process dies by the signal.
///
/// In the first process it does not return: it ends with the exit code of the last child, or throws
/// Interrupted, or UserError if a child was killed from outside.
void supervise(const std::function<void(WatchPage&)>& work,
               const std::function<void(WatchPage&, const EndedTrials&)>& go_on,
               const std::function<std::string()>& interrupted);

}  // namespace faultwave
