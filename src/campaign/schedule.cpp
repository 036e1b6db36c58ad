// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/schedule.h"

#include <algorithm>

namespace faultwave {

namespace {

constexpr int64_t kPart = 8;
constexpr int64_t kLeastPart = 64;

/// Trials until the half-width, from how wide the interval is after `trials`.
double expected_left(double half_width, double target, int64_t trials) {
  const double ratio = half_width / target;
  return static_cast<double>(trials) * (ratio * ratio - 1);
}

}  // namespace

Round next_round(const Specification& specification, int64_t trials, const std::vector<Round>& before,
                 double half_width) {
  Round round;
  round.number = static_cast<int64_t>(before.size());
  if (!before.empty()) round.first_trial = before.back().first_trial + before.back().trials;
  const int64_t left = trials - round.first_trial;
  round.trials = left;
  if (!specification.goes_in_rounds()) return round;
  const int64_t block = specification.block;
  int64_t wanted = std::max(specification.round, round.first_trial / kPart);
  if (specification.stop.half_width > 0) {
    const double left_now = expected_left(half_width, specification.stop.half_width, round.first_trial);
    if (left_now < static_cast<double>(wanted))
      wanted = std::max({static_cast<int64_t>(left_now), round.first_trial / kLeastPart, int64_t{1}});
  }
  round.trials = std::min(left, (wanted + block - 1) / block * block);
  return round;
}

}  // namespace faultwave
