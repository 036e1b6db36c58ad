// SPDX-License-Identifier: Apache-2.0
#include "faultwave/interval.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>

#include "faultwave/error.h"

#include "src/common/numbers.h"

namespace faultwave {
namespace {

void check_arguments(int64_t count, int64_t trials, double confidence) {
  if (trials < 0 || count < 0 || count > trials) {
    throw UserError(ErrorCode::usage, "an interval for " + std::to_string(count) + " events in " +
                                          std::to_string(trials) + " trials: expected 0 <= events <= trials");
  }
  // Written so that NaN fails too.
  if (!(confidence > 0 && confidence < 1)) {
    throw UserError(ErrorCode::usage, "a confidence of " + format_number(confidence) +
                                          ": expected a number between 0 and 1, such as 0.99");
  }
}

double proportion(int64_t count, int64_t trials) {
  return static_cast<double>(count) / static_cast<double>(trials);
}

}  // namespace

Interval clopper_pearson(int64_t count, int64_t trials, double confidence) {
  check_arguments(count, trials, confidence);
  Interval interval{.confidence = confidence};
  if (trials == 0) return interval;

  interval.estimate = proportion(count, trials);
  const double tail = (1 - confidence) / 2;
  const auto events = static_cast<double>(count);
  const auto others = static_cast<double>(trials - count);
  // With b = 1 (all events) or a = 1 (none) the beta quantile has a closed form, which is exact for any
  // number of trials. The upper quantile is taken from its complement, since 1 - tail would round.
  if (count == trials) {
    interval.low = std::exp(std::log(tail) / events);
  } else if (count > 0) {
    interval.low = boost::math::ibeta_inv(events, others + 1, tail);
  }
  if (count == 0) {
    interval.high = -std::expm1(std::log(tail) / others);
  } else if (count < trials) {
    interval.high = boost::math::ibetac_inv(events + 1, others, tail);
  }
  return interval;
}

Interval wilson(int64_t count, int64_t trials, double confidence) {
  check_arguments(count, trials, confidence);
  Interval interval{.confidence = confidence};
  if (trials == 0) return interval;

  interval.estimate = proportion(count, trials);
  const auto n = static_cast<double>(trials);
  const double p = interval.estimate;
  // The normal quantile of 1 - alpha/2, from alpha itself so that a confidence near one keeps its digits.
  const double z = std::sqrt(2.0) * boost::math::erfc_inv(1 - confidence);
  const double shrink = 1 + z * z / n;
  const double centre = (p + z * z / (2 * n)) / shrink;
  const double half = z / shrink * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // At the ends the formula gives 0 and 1 but for rounding.
  interval.low = count == 0 ? 0.0 : std::max(0.0, centre - half);
  interval.high = count == trials ? 1.0 : std::min(1.0, centre + half);
  return interval;
}

}  // namespace faultwave
