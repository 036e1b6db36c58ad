// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace faultwave {

/// How far a faulty output lies from its golden one.
struct Change {
  bool has_same_form = false;  ///< type and shape; the rest is known only then
  bool is_identical = false;   ///< bit for bit
  /// NaN and Inf stand in the same places, and infinities have the same sign.
  bool has_same_nonfinite = false;
  double largest_change = 0;  ///< among values that are finite in both
  double largest_golden = 0;  ///< magnitude, among finite values
  double largest_faulty = 0;

  /// Floating-point values that moved so little that no user would call it an effect; see kMaskedChange.
  bool is_masked(double slack = 0) const;
  /// What `rounding` may add to a difference of two of the faulty values, or between a faulty and a golden
  /// one; and of two golden ones.
  double faulty_slack(double rounding) const;
  double golden_slack(double rounding) const;
};

Change change_of(const at::Tensor& golden, const at::Tensor& faulty);

}  // namespace faultwave
