// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "faultwave/interval.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// The same faults tried on two networks (or with two protections): how many ended in an event in both, in
/// one alone, in none.
struct PairedCounts {
  int64_t both = 0;
  int64_t first_only = 0;
  int64_t second_only = 0;
  int64_t neither = 0;
};

/// McNemar's exact test of whether both have the same rate: given the pairs that differ, first_only is
/// binomial with one half if they do. Returns the two-sided p-value, twice the smaller tail and at most 1; 1
/// where no pair differs. At a true difference of zero it is at most a with a probability of at most a. Q.
/// McNemar, Psychometrika 12 (1947). Throws UserError(usage) for negative counts.
double mcnemar_p_value(const PairedCounts& counts);

/// Interval for rate of the first minus rate of the second, with estimate (first_only - second_only) / pairs:
/// for pairs drawn independently, their number fixed beforehand, it holds the true difference with a
/// probability of at least `confidence`, whatever the rates.
///
/// The difference is r (2 s - 1), with r the rate of pairs that differ and s the part of these with an event
/// in the first. Both get a Clopper-Pearson interval at confidence 1 - (1 - confidence) / 2, s given how many
/// pairs differ, so all four bounds hold at once with `confidence` (Bonferroni); the ends are the least and
/// the greatest difference within them. Agreeing pairs of any number cost nothing. It is wider than
/// approximate intervals by about a tenth where many pairs differ, and never misses more than stated. No
/// pairs give [-1, 1]. Throws UserError(usage) for negative counts or unless 0 < confidence < 1.
Interval paired_difference(const PairedCounts& counts, double confidence = 0.99);

}  // namespace faultwave
#pragma GCC visibility pop
