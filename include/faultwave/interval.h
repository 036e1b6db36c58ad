// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace faultwave {

/// A proportion with a confidence interval.
struct Interval {
  double estimate = 0;
  double low = 0;
  double high = 1;
  double confidence = 0.99;
};

/// Half the length of an interval: what a campaign that stops by its results compares with its target.
inline double half_width(const Interval& interval) {
  return (interval.high - interval.low) / 2;
}

/// Exact two-sided interval for `count` events in `trials` trials, valid for a number of trials fixed
/// beforehand: low is the alpha/2 quantile of Beta(count, trials - count + 1), high the 1 - alpha/2 quantile
/// of Beta(count + 1, trials - count), alpha = 1 - confidence; low = 0 at no events, high = 1 at all.
/// Clopper and Pearson, Biometrika 26 (1934). Throws UserError(usage) unless 0 <= count <= trials and
/// 0 < confidence < 1; no trials give [0, 1].
Interval clopper_pearson(int64_t count, int64_t trials, double confidence = 0.99);

/// Wilson's score interval (Journal of the American Statistical Association 22, 1927): shorter, but it
/// covers only on average. Same errors.
Interval wilson(int64_t count, int64_t trials, double confidence = 0.99);

}  // namespace faultwave
#pragma GCC visibility pop
