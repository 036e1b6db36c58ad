// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "faultwave/wave_engine.h"

namespace faultwave::cli {

/// What a user should know of how the wave went: the trials that the direct engine ran, by reason, and the
/// operators without a rule with their share of the time spent beside golden forwards. Lines, or "" where all
/// trials went the fast way.
std::string engine_text(const WaveReport& report);

}  // namespace faultwave::cli
