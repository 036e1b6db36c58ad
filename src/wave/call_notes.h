// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

namespace faultwave::wave {

/// What was done for the shadows of one call, for those who ask (WaveEngine::explain).
struct CallNotes {
  std::set<std::string> rules;  ///< names of those that answered
  std::set<std::string> ways;   ///< that a rule with several took, in its own words
};

}  // namespace faultwave::wave
