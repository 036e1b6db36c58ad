// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace faultwave {

/// Text that is made once on a machine and read by all later processes of the user: the file `name` in the
/// folder faultwave of XDG_CACHE_HOME, or of .cache in HOME. Where several processes make it at once, all get
/// what the first of them has put there. Empty if there is no such folder and none can be made, or the file
/// cannot be read or written, or is no regular one; `make` is called only where the text could be kept.
std::optional<std::string> cached_text(const std::string& name, const std::function<std::string()>& make);

}  // namespace faultwave
