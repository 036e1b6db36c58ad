// SPDX-License-Identifier: Apache-2.0
// How long until a rate is known? One specification of single bit flips, uniform over all bits, in three
// ways: real faulty runs and the wave engine, both for a fixed number of trials, and the wave engine with
// stratified sampling until the half-width is reached. time_to_answer.py runs the direct engine's faults
// through PyTorchFI and puts all together.
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "faultwave/campaign.h"
#include "faultwave/planning.h"
#include "faultwave/report.h"

namespace {

using namespace faultwave;
using nlohmann::json;

constexpr int kThreads = 2;

struct Options {
  std::string specification;
  std::string output;
  std::string faults;
  int64_t direct_trials = 2000;
  int64_t wave_trials = 20000;
};

/// A folder that is gone with the object.
class ScratchFolder {
 public:
  ScratchFolder()
      : path_(std::filesystem::temp_directory_path() / ("faultwave-bench-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

Specification uniform(Specification spec, const std::string& engine, int64_t trials) {
  spec.engine = engine;
  spec.draw = DrawRule::bits;
  spec.stop = {};
  spec.trials = trials;
  spec.keep = "all";
  return spec;
}

/// What a way found, and how long it took from opening the network to the last transaction.
struct Answer {
  json found;
  Interval rate;
};

Answer run(const Specification& spec, const Options& options, const std::string& database) {
  const CancelCheck never;
  const auto start = std::chrono::steady_clock::now();
  const Campaign campaign = open_campaign(spec);
  const auto opened = std::chrono::steady_clock::now();
  Store store = Store::create(database, campaign.info(spec, options.specification));
  campaign.run(store, never, {});
  const auto end = std::chrono::steady_clock::now();

  const Summary summary = summarize(store, GroupBy::bit);
  const Interval rate = summary.overall.rates.at(0);
  const int64_t trials = summary.overall.tally.trials;
  const double seconds = std::chrono::duration<double>(end - start).count();
  const double running = std::chrono::duration<double>(end - opened).count();
  return {{{"trials", trials},
           {"seconds", seconds},
           {"per_second", static_cast<double>(trials) / running},  // opening is not a trial's cost
           {"estimate", rate.estimate},
           {"low", rate.low},
           {"high", rate.high},
           {"ended", summary.ended}},
          rate};
}

/// Trials with their faults and outcomes, as `faultwave export --format json` gives them.
json exported(const std::string& database) {
  std::stringstream text;
  write_json(Store::open(database, Store::Access::read), text);
  return json::parse(text);
}

/// Trial k is the same fault in both, so it must have the same outcome.
size_t count_differences(const json& a, const json& b, const std::string& criterion) {
  size_t differ = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i]["fault"] != b[i]["fault"]) throw std::runtime_error("the two engines drew different faults");
    differ += a[i][criterion] != b[i][criterion];
  }
  return differ;
}

json measure(const Options& options) {
  const ScratchFolder scratch;
  const Specification spec = load_specification(options.specification);
  const std::string direct_database = scratch.file("direct.db"), wave_database = scratch.file("wave.db");
  const Answer direct = run(uniform(spec, "direct", options.direct_trials), options, direct_database);
  std::cout << "direct engine: " << direct.found.dump() << std::endl;
  const Answer wave = run(uniform(spec, "wave", options.wave_trials), options, wave_database);
  std::cout << "wave, uniform: " << wave.found.dump() << std::endl;
  const json trials = exported(direct_database)["trials"];
  const size_t differ = count_differences(trials, exported(wave_database)["trials"], "top1");
  std::ofstream(options.faults) << trials.dump() << "\n";

  const Answer guided = run(spec, options, scratch.file("guided.db"));
  std::cout << "wave, stratified: " << guided.found.dump() << std::endl;
  if (guided.found["ended"] != "half width") {
    throw std::runtime_error("the stratified campaign did not end by its half-width");
  }
  const double rate = guided.rate.estimate, half_width = spec.stop.half_width;
  return {{"specification", std::filesystem::path(options.specification).stem().string()},
          {"error", spec.error},
          {"confidence", spec.confidence},
          {"half_width", half_width},
          {"torch", TORCH_VERSION},
          {"threads", kThreads},
          {"direct", direct.found},
          {"wave_uniform", wave.found},
          {"wave_guided", guided.found},
          {"top1_differs", {{"trials", trials.size()}, {"differ", differ}}},
          {"uniform_trials",
           {{"fixed", clopper_pearson_trials(half_width, rate, spec.confidence)},
            {"sequential", sequential_trials(half_width, rate, spec.confidence)}}}};
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App program("Measures how long three ways take to know a rate");
  program.add_option("SPEC", options.specification, "Stratified campaign with [stop] half_width")->required();
  program.add_option("OUT", options.output, "JSON file to write")->required();
  program.add_option("FAULTS", options.faults, "JSON file to write the direct engine's trials to")
      ->required();
  program.add_option("--direct-trials", options.direct_trials, "Of the direct engine")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  program.add_option("--wave-trials", options.wave_trials, "Of the wave engine, uniform")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(program.exit(error));
  }
  options.wave_trials = std::max(options.wave_trials, options.direct_trials);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    at::set_num_threads(kThreads);
    std::ofstream(options.output) << measure(options).dump(1) << "\n";
  } catch (const std::exception& error) {
    std::cerr << "bench_time_to_answer: " << error.what() << "\n";
    return 1;
  }
}
