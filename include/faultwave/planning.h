// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace faultwave {

/// Trials of statistical fault injection: n = N / (1 + e^2 (N - 1) / (z^2 p (1 - p))), drawn without
/// replacement from a population of N faults, for a normal interval of half-width e at this confidence (z is
/// its two-sided normal quantile) if the rate is p; p = 0.5 is the worst case. Leveugle, Calvez, Maistri and
/// Vanhauwaert, "Statistical fault injection: quantified error and confidence", DATE 2009. Throws
/// UserError(usage) unless 0 < e < 1, 0 < p < 1, 0 < confidence < 1 and N >= 1.
int64_t finite_population_trials(double population, double half_width, double rate, double confidence);

/// The least n for which the interval of Clopper and Pearson has a half-width of e at most if round(n p)
/// events come.
int64_t clopper_pearson_trials(double half_width, double rate, double confidence);

/// Trials after which a WeightedSequence of one stratum has a half-width of e at most if events come at the
/// rate p, in rounds that grow by an eighth: what a campaign with a stop rule needs.
int64_t sequential_trials(double half_width, double rate, double confidence);

}  // namespace faultwave
#pragma GCC visibility pop
