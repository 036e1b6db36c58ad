// SPDX-License-Identifier: Apache-2.0
// How many trials does an interval take, stratified and uniform? Runs each specification to its [stop]
// half_width as it is, and says what uniform sampling needs at the rate that was found: a number fixed
// beforehand (Clopper-Pearson), which takes knowing the rate, and a campaign that stops by itself (confidence
// sequence, the same promise).
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "faultwave/campaign.h"
#include "faultwave/planning.h"
#include "faultwave/report.h"

namespace {

using namespace faultwave;

nlohmann::json measure(const std::string& path, const std::string& database) {
  const Specification spec = load_specification(path);
  const Campaign campaign = open_campaign(spec);
  const CancelCheck never;
  const auto start = std::chrono::steady_clock::now();
  Store store = Store::create(database, campaign.info(spec, path));
  campaign.run(store, never, {});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  const Summary summary = summarize(store, GroupBy::bit);
  const Interval rate = summary.overall.rates[0];
  const int64_t trials = summary.overall.tally.trials;
  const double half_width = (rate.high - rate.low) / 2;
  if (summary.ended != "half width") {
    std::cerr << "trials_to_interval: " << path << " did not end by its half-width\n";
    std::exit(1);
  }
  const int64_t fixed = clopper_pearson_trials(half_width, rate.estimate, spec.confidence);
  const int64_t sequential = sequential_trials(half_width, rate.estimate, spec.confidence);
  return {{"specification", std::filesystem::path(path).stem().string()},
          {"error", summary.info.error},
          {"rate", rate.estimate},
          {"low", rate.low},
          {"high", rate.high},
          {"half_width", half_width},
          {"trials", trials},
          {"seconds", seconds.count()},
          {"uniform_fixed", fixed},
          {"uniform_sequential", sequential},
          {"part_of_fixed", static_cast<double>(trials) / static_cast<double>(fixed)},
          {"part_of_sequential", static_cast<double>(trials) / static_cast<double>(sequential)}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: bench_trials_to_interval OUT.json SPEC.toml...\n";
    return 2;
  }
  const auto folder =
      std::filesystem::temp_directory_path() / ("faultwave-bench-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  nlohmann::json rows = nlohmann::json::array();
  std::printf("%-28s %-24s %10s %12s %12s %8s %8s\n", "campaign", "top-1 rate", "trials", "fixed",
              "sequential", "1 / n", "1 / n");
  for (int i = 2; i < argc; ++i) {
    const nlohmann::json row = measure(argv[i], folder / (std::to_string(i) + ".db"));
    rows.push_back(row);
    char rate[64];
    std::snprintf(rate, sizeof rate, "%.3f %% [%.3f, %.3f]", 100 * row["rate"].get<double>(),
                  100 * row["low"].get<double>(), 100 * row["high"].get<double>());
    std::printf("%-28s %-24s %10lld %12lld %12lld %8.1f %8.1f\n",
                row["specification"].get<std::string>().c_str(), rate, row["trials"].get<long long>(),
                row["uniform_fixed"].get<long long>(), row["uniform_sequential"].get<long long>(),
                1 / row["part_of_fixed"].get<double>(), 1 / row["part_of_sequential"].get<double>());
    std::fflush(stdout);
    std::ofstream(argv[1]) << nlohmann::json{{"rows", rows}}.dump(2) << "\n";
  }
  std::filesystem::remove_all(folder);
}
