// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "faultwave/fault.h"

namespace faultwave {

/// As parse_faults, from a line that a database holds. Its error models need not be known to this process:
/// they print as they stand (RecordedModel).
std::vector<Fault> parse_recorded_faults(std::string_view line);

}  // namespace faultwave
