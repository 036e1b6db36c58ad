// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "src/wave/follow.h"

namespace faultwave::wave {

/// About how much memory it takes to follow a call, in bytes: the shadows of its results, guessed from how
/// far its windows reach, and copies that rules make of what they read. Shadows that are there already do not
/// count.
int64_t expected_bytes(const Call& call, const std::vector<PartedArgument>& shadowed);

}  // namespace faultwave::wave
