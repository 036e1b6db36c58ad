// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace faultwave::detail {

/// Lets `write` fill a new file beside `path`, then renames it to `path`. If `write` throws, or the file
/// cannot be renamed, the new file is removed and what was at `path` stays. Failures of the file system
/// become UserError(store) naming `path`; so do c10::Error and std::exception out of `write`, other
/// UserErrors pass.
void write_atomically(const std::string& path,
                      const std::function<void(const std::string& temporary)>& write);

}  // namespace faultwave::detail
