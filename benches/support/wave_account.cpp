// SPDX-License-Identifier: Apache-2.0
#include "benches/support/wave_account.h"

#include <string>

#include "benches/support/engine_run.h"
#include "benches/support/measure.h"

namespace faultwave::bench {
namespace {

using nlohmann::json;

constexpr int kGoldenRounds = 9;

double sum_of(const std::map<std::string, double>& values) {
  double sum = 0;
  for (const auto& [name, value] : values)
    sum += value;
  return sum;
}

}  // namespace

GoldenTime measure_golden(Network& network, const at::Tensor& image) {
  std::vector<double> seconds, in_products;
  network.forward({image});
  for (int round = 0; round < kGoldenRounds; ++round)
    seconds.push_back(seconds_of([&] { network.forward({image}); }));
  for (int round = 0; round < kGoldenRounds; ++round) {
    const ProductClock clock;
    network.forward({image});
    in_products.push_back(clock.seconds());
  }
  return {median(seconds), median(in_products)};
}

json share_of_products(WaveEngine& engine, const std::vector<Trial>& trials, const GoldenTime& golden) {
  const ProductClock clock;
  const double seconds = run_trials(engine, trials, Keep::classes).seconds;
  const auto forwards = static_cast<double>(engine.report().forwards);
  return {{"of_what_differs", (clock.seconds() - forwards * golden.in_products) / seconds},
          {"golden_forwards", forwards * golden.seconds / seconds}};
}

json floor_of(const WaveReport& report, double seconds, const GoldenTime& golden, const ProductSpeed& speed) {
  const std::map<std::string, double>& multiply_adds = report.multiply_adds;
  const double floor = golden.seconds + 2 * sum_of(multiply_adds) / speed.flops;
  return {{"multiply_adds", multiply_adds},
          {"golden_seconds", golden.seconds},
          {"seconds", floor},
          {"times_the_floor", seconds / floor}};
}

json dirty_by_layer(const WaveReport& report, const std::vector<Site>& layers, size_t trials) {
  const auto all = static_cast<double>(trials);
  json rows = json::array();
  for (const Site& layer : layers) {
    const auto found = report.dirty.find(layer.name);
    const DirtyOutput dirty = found == report.dirty.end() ? DirtyOutput{} : found->second;
    const auto differ = static_cast<double>(dirty.trials);
    rows.push_back({{"layer", layer.name},
                    {"op", layer.op},
                    {"share_of_trials", differ / all},
                    {"share_of_values_in_those", dirty.trials == 0 ? 0 : dirty.tensors / differ},
                    {"share_of_values_in_all", dirty.tensors / all}});
  }
  return rows;
}

}  // namespace faultwave::bench
