// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/schedule.h"

#include <algorithm>

namespace faultwave {

Round next_round(const Specification& specification, int64_t trials, const std::vector<Round>& before) {
  constexpr int64_t kPart = 8;
  Round round;
  round.number = static_cast<int64_t>(before.size());
  if (!before.empty()) round.first_trial = before.back().first_trial + before.back().trials;
  const int64_t left = trials - round.first_trial;
  round.trials = left;
  if (!specification.goes_in_rounds()) return round;
  const int64_t block = specification.block;
  const int64_t wanted = std::max(specification.round, round.first_trial / kPart);
  round.trials = std::min(left, (wanted + block - 1) / block * block);
  return round;
}

}  // namespace faultwave
