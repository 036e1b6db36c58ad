// SPDX-License-Identifier: Apache-2.0
#include "faultwave/report.h"

namespace faultwave {
namespace {

RateGroup with_rates(const Tally& tally, double confidence) {
  RateGroup group;
  group.tally = tally;
  for (const int64_t count : tally.fired)
    group.rates.push_back(clopper_pearson(count, tally.trials, confidence));
  return group;
}

}  // namespace

Summary summarize(const Store& store) {
  Summary summary;
  summary.info = store.info();
  Tally overall(summary.info.criteria.size());
  for (const Tally& tally : store.tallies()) {
    overall += tally;
    summary.layers.push_back(with_rates(tally, summary.info.confidence));
  }
  summary.overall = with_rates(overall, summary.info.confidence);
  return summary;
}

}  // namespace faultwave
