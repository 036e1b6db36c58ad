// SPDX-License-Identifier: Apache-2.0
// Where the time of a wave goes, and how far it is from the least that its arithmetic takes.
#pragma once

#include <memory>
#include <vector>

#include <nlohmann/json.hpp>

#include "faultwave/injector.h"
#include "faultwave/wave_engine.h"

#include "benches/support/products.h"

namespace faultwave::bench {

/// Seconds of one golden forward of an input: all, and in products.
struct GoldenTime {
  double seconds = 0;
  double in_products = 0;
};
/// `image` has a batch of one. Medians of several.
GoldenTime measure_golden(Network& network, const at::Tensor& image);

/// Share of a run's time that goes into products of what differs, and into golden forwards. Runs the trials
/// once more, with the clock on.
nlohmann::json share_of_products(WaveEngine& engine, const std::vector<Trial>& trials,
                                 const GoldenTime& golden);

/// The floor: one golden forward, and the multiply-adds of the dirty rows at the speed of the machine's
/// products. How many times that a run of `seconds` took. Null where the engine does not count.
nlohmann::json floor_of(const WaveReport& report, double seconds, const GoldenTime& golden,
                        const ProductSpeed& speed);

/// For each layer in order of execution the share of trials that differ at its output, and the share of the
/// output's values that were held as different, over those trials and over all.
nlohmann::json dirty_by_layer(const WaveReport& report, const std::vector<Site>& layers, size_t trials);

}  // namespace faultwave::bench
