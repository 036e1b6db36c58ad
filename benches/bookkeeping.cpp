// SPDX-License-Identifier: Apache-2.0
// What does a campaign cost beside its network? Ten million trials of a network that takes no time: drawing,
// judging, counting and storing, uniform and stratified, with 1 % of events; then the statistics of the
// database.
#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "faultwave/campaign.h"
#include "faultwave/report.h"

namespace {

using namespace faultwave;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Largest resident memory of the process so far, in MB.
double peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1000;
}

/// Ten classes; a flip of bit 30 in a third of the elements changes the top class: about 1 % of all trials.
class NoNetwork : public Engine {
 public:
  void run(const std::vector<Trial>& trials, const TrialSink& sink) override {
    TrialOutputs masked;
    masked.golden = {golden_};
    masked.faulty = {golden_};
    TrialOutputs changed = masked;
    changed.faulty = {changed_};
    for (size_t i = 0; i < trials.size(); ++i)
      sink(i, is_event(trials[i].faults[0]) ? changed : masked);
  }

  static bool is_event(const Fault& fault) {
    return fault.model->text() == "flip(30)" && fault.location.boxes[0].axes.back().begin % 3 == 0;
  }

 private:
  at::Tensor golden_ = at::arange(10, at::kFloat);
  at::Tensor changed_ = at::arange(10, 0, -1, at::kFloat);
};

std::vector<Site> sites() {
  std::vector<Site> made;
  for (int layer = 0; layer < 50; ++layer) {
    Site site;
    site.name = "features." + std::to_string(layer) + ".conv";
    site.op = "aten::conv2d";
    site.shape = {1, 64, 28, 28 + layer};
    site.batch = {0, 1};
    site.channel_axis = 0;
    made.push_back(site);
  }
  return made;
}

Campaign campaign(DrawRule rule, int64_t trials) {
  Specification spec;
  spec.model = "none.pt2";
  spec.input = "none.npy";
  spec.seed = 1;
  spec.trials = trials;
  spec.batch = 256;
  spec.block = 4096;
  spec.keep = "events";
  spec.error = "flip";
  spec.draw = rule;
  CampaignParts parts{.engine = std::make_shared<NoNetwork>(), .sampler = nullptr};
  parts.sampler = std::make_shared<Sampler>(Population(sites(), rule, parse_error_model(spec.error)),
                                            SamplingOptions{.rule = rule, .seed = spec.seed, .inputs = 1000});
  for (const std::string& criterion : spec.criteria)
    parts.criteria.push_back(parse_criterion(criterion));
  return Campaign(spec, std::move(parts));
}

nlohmann::json measure(const std::string& name, DrawRule rule, int64_t trials,
                       const std::filesystem::path& folder) {
  const std::string path = folder / (name + ".db");
  const CancelCheck never;
  const Campaign made = campaign(rule, trials);
  double run_seconds = 0;
  {
    Store store = Store::create(path, made.info(made.specification(), ""));
    const auto start = Clock::now();
    made.run(store, never, {});
    run_seconds = seconds_since(start);
  }
  const auto start = Clock::now();
  const Summary summary = summarize(Store::open(path, Store::Access::read));
  const double stats_seconds = seconds_since(start);
  const Tally& tally = summary.overall.tally;
  if (tally.trials != trials || tally.fired[0] == 0) {
    std::cerr << "bookkeeping: wrong counts\n";
    std::exit(1);
  }
  return {{"sampling", name},
          {"trials", trials},
          {"events", tally.classes[2] + tally.classes[3]},
          {"us_per_trial", run_seconds / static_cast<double>(trials) * 1e6},
          {"peak_memory_mb", peak_memory()},
          {"database_mb", static_cast<double>(std::filesystem::file_size(path)) / 1e6},
          {"stats_seconds", stats_seconds},
          {"estimate", summary.overall.rates[0].estimate}};
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t trials = argc > 1 ? std::stoll(argv[1]) : 10'000'000;
  const auto folder =
      std::filesystem::temp_directory_path() / ("faultwave-bench-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  nlohmann::json rows;
  rows.push_back(measure("bits", DrawRule::bits, trials, folder));
  rows.push_back(measure("stratified", DrawRule::stratified, trials, folder));
  std::filesystem::remove_all(folder);

  std::printf("%-11s %12s %9s %9s %10s %12s %9s\n", "sampling", "trials", "events", "us/trial", "peak MB",
              "database MB", "stats s");
  for (const auto& row : rows) {
    std::printf("%-11s %12lld %9lld %9.2f %10.0f %12.1f %9.2f\n", row["sampling"].get<std::string>().c_str(),
                row["trials"].get<long long>(), row["events"].get<long long>(),
                row["us_per_trial"].get<double>(), row["peak_memory_mb"].get<double>(),
                row["database_mb"].get<double>(), row["stats_seconds"].get<double>());
  }
  if (argc > 2) std::ofstream(argv[2]) << nlohmann::json{{"rows", rows}}.dump(2) << "\n";
}
