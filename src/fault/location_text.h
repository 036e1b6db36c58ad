// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "faultwave/location.h"

#include "src/fault/scanner.h"

namespace faultwave {

/// Parses the location, brackets included, at the scanner's position and stops behind it.
Location take_location(Scanner& scanner);

}  // namespace faultwave
