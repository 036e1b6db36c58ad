// SPDX-License-Identifier: Apache-2.0
#include "faultwave/fit.h"

#include <cmath>
#include <string>

#include "faultwave/error.h"

namespace faultwave {
namespace {

void check(double value, bool may_be_zero, const char* what) {
  if (std::isfinite(value) && (value > 0 || (value == 0 && may_be_zero))) return;
  throw UserError(ErrorCode::usage, std::string(what) + " is " + std::to_string(value) +
                                        ": expected a finite number " +
                                        (may_be_zero ? "from 0 up" : "above 0"));
}

}  // namespace

Interval fit(const Interval& rate, double bits, double fit_per_megabit, double bits_per_megabit) {
  check(bits, true, "the number of bits");
  check(fit_per_megabit, true, "the rate of upsets in FIT per megabit");
  check(bits_per_megabit, false, "the number of bits in a megabit");
  for (const double end : {rate.estimate, rate.low, rate.high})
    check(end, true, "the rate of failures");
  const double upsets = bits / bits_per_megabit * fit_per_megabit;
  return {.estimate = upsets * rate.estimate,
          .low = upsets * rate.low,
          .high = upsets * rate.high,
          .confidence = rate.confidence};
}

}  // namespace faultwave
