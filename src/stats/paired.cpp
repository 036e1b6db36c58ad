// SPDX-License-Identifier: Apache-2.0
#include "faultwave/paired.h"

#include <algorithm>
#include <string>

#include <boost/math/special_functions/beta.hpp>

#include "faultwave/error.h"

namespace faultwave {
namespace {

void check(const PairedCounts& counts) {
  for (const int64_t count : {counts.both, counts.first_only, counts.second_only, counts.neither}) {
    if (count >= 0) continue;
    throw UserError(ErrorCode::usage, std::to_string(count) + " pairs: expected 0 or more of each kind");
  }
}

}  // namespace

double mcnemar_p_value(const PairedCounts& counts) {
  check(counts);
  const int64_t fewer = std::min(counts.first_only, counts.second_only);
  const int64_t more = std::max(counts.first_only, counts.second_only);
  if (fewer == more) return 1;
  // At most `fewer` of fewer + more: the regularised beta function at one half.
  const double tail = boost::math::ibeta(static_cast<double>(more), static_cast<double>(fewer) + 1, 0.5);
  return std::min(1.0, 2 * tail);
}

Interval paired_difference(const PairedCounts& counts, double confidence) {
  check(counts);
  const int64_t differing = counts.first_only + counts.second_only;
  const int64_t pairs = differing + counts.both + counts.neither;
  const double each = 1 - (1 - confidence) / 2;
  const Interval rate = clopper_pearson(differing, pairs, each);
  const Interval first = clopper_pearson(counts.first_only, differing, each);
  // r (2 s - 1) rises with s, and with r where s is above one half.
  const double least = 2 * first.low - 1;
  const double greatest = 2 * first.high - 1;
  Interval interval{.confidence = confidence};
  interval.low = least * (least > 0 ? rate.low : rate.high);
  interval.high = greatest * (greatest > 0 ? rate.high : rate.low);
  if (pairs > 0) {
    interval.estimate =
        static_cast<double>(counts.first_only - counts.second_only) / static_cast<double>(pairs);
  }
  return interval;
}

}  // namespace faultwave
