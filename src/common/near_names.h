// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace faultwave {

/// Up to `most` of `known` that a user may have meant by `wrong`, best first: by edit distance, and names
/// that contain `wrong` or end in it. Empty if none is near.
std::vector<std::string> near_names(std::string_view wrong, const std::vector<std::string>& known,
                                    size_t most = 3);

/// "; did you mean a, b or c?" for a message, or "" if none is near.
std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace faultwave
