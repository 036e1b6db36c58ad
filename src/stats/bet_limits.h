// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace faultwave {

/// A bet never puts more than this part of the wealth at risk in one trial. All of it would be ruin by one
/// event; little of it makes an interval without events wide, as one over this.
inline constexpr double kMostOfWealth = 0.9;

/// The part of the money that is on the bet tuned to the target, the rest being spread over bets for others.
inline constexpr double kTargetPart = 0.8;

}  // namespace faultwave
