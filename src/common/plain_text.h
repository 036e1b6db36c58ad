// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace faultwave {

/// A text that may come from a file, as one line that a terminal shows as it is: control characters, line
/// ends, marks that turn the direction of writing, and bytes that are no UTF-8 become "\x1b" and the like.
/// Printable text stays as it is, so that doing it twice changes nothing.
std::string printable(std::string_view text);

/// printable(text); where that is longer than `most` bytes, its middle is left out.
std::string shortened(std::string_view text, size_t most);

}  // namespace faultwave
