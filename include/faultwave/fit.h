// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "faultwave/interval.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// Bits of a megabit as the units have it (IEC 80000-13); 2^20 would be a mebibit. Publications of upset
/// rates seldom say which they mean. For a rate per 2^20 bits pass 1048576 instead; the result is then 4.6 %
/// smaller.
inline constexpr double kBitsPerMegabit = 1e6;

/// Failures in 10^9 hours that upsets in some memory cause: bits / bits_per_megabit * fit_per_megabit * rate.
///
/// `rate`: how likely an upset of one of these bits ends in a failure, such as the SDC rate over a population
/// that is drawn uniformly over just these bits. `bits`: how many there are. `fit_per_megabit`: upsets in
/// 10^9 hours and megabit; it depends on memory, altitude and voltage, and the user knows it from
/// measurements. The product is linear in `rate`, so ends and confidence are those of `rate`: fit_per_megabit
/// is taken as exactly known. G. Li et al., "Understanding error propagation in deep learning neural network
/// (DNN) accelerators and applications", SC 2017, equation 1. An upset is taken to come alone and to live as
/// long as a trial's fault.
///
/// Throws UserError(usage) for negative, infinite or NaN numbers, or bits_per_megabit of 0.
Interval fit(const Interval& rate, double bits, double fit_per_megabit,
             double bits_per_megabit = kBitsPerMegabit);

}  // namespace faultwave
#pragma GCC visibility pop
