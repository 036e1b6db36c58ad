// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "src/fault/scanner.h"

namespace faultwave {

/// A site's name as fault lines write it: as it is, or in double quotes where it is empty or holds a space, a
/// control character or one of [ ] " @ ;
std::string quote_site_name(std::string_view name);

/// The inverse, at the scanner's position; stops behind the name.
std::string take_site_name(Scanner& scanner);

}  // namespace faultwave
