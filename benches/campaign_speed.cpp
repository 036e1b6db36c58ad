// SPDX-License-Identifier: Apache-2.0
// How many faulty inferences a second, by wave engine and direct engine, and where does the wave's time go?
// Single-neuron faults of one image at the outputs of layers, layer first, as PyTorchFI draws them.
// campaign_speed.py runs the same faults there.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "faultwave/direct_engine.h"
#include "faultwave/population.h"
#include "faultwave/wave_engine.h"

#include "benches/support/engine_run.h"
#include "benches/support/measure.h"
#include "benches/support/products.h"
#include "benches/support/wave_account.h"

namespace {

using namespace faultwave;
using namespace faultwave::bench;
using nlohmann::json;

constexpr int kThreads = 2;
constexpr int64_t kDirectBatch = 16;
constexpr uint64_t kSeed = 1;
constexpr int64_t kMegabyte = 1 << 20;
// Trials along one golden forward that memory is measured for, and how many such waves at most.
constexpr int64_t kWaveSizes[] = {64, 256, 1024, 4096};
constexpr int64_t kWavesForMemory = 4;

struct Options {
  std::string network;
  std::string input;
  std::string output;
  std::string layers;
  size_t trials = 2000;
  double run_seconds = 20;    // fewer trials where a run of the wave engine would take longer
  size_t shared_trials = 64;  // that the direct engine runs too, and PyTorchFI after it
  int rounds = 3;
  std::vector<int64_t> budgets = {256, 1024};  // MB
  size_t memory_trials = 4096;                 // at most so many for each wave size and budget
};

/// What stays the same for both error models.
struct Subject {
  std::shared_ptr<Network> network;
  std::shared_ptr<Workload> workload;
  std::vector<Site> layers;
  GoldenTime golden;
  ProductSpeed speed;
};

/// Where PyTorchFI counts layers: modules of the types that it was told. Without a list, all convolutions.
std::vector<Site> choose_layers(const Injector& injector, const std::string& path) {
  std::vector<Site> layers;
  if (path.empty()) {
    for (const Site& site : injector.select(SiteKind::output)) {
      if (site.op == "aten::conv2d") layers.push_back(site);
    }
    return layers;
  }
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  for (std::string name; std::getline(file, name);)
    layers.push_back(injector.site(SiteKind::output, name));
  return layers;
}

std::vector<Trial> draw_trials(const std::vector<Site>& layers, const ErrorModelPtr& error, size_t count) {
  const Population population(layers, DrawRule::layers, error);
  std::vector<Trial> trials;
  for (uint64_t number = 0; number < count; ++number) {
    Draw draw(kSeed, number);
    const Place place = population.draw(draw);
    trials.push_back({number, 0, {population.fault(place, draw)}});
  }
  return trials;
}

json fault_json(const Receipt& receipt, const Injector& injector) {
  const BatchAxis& batch = injector.site(receipt.kind, receipt.site).batch;
  if (batch.dim != 0 || batch.rows != 1 || receipt.victims.size() != 1) {
    throw std::runtime_error("'" + receipt.fault + "' is no single neuron of one batch element");
  }
  const Victim& victim = receipt.victims[0];
  const std::vector<int64_t> index(victim.index.begin() + 1, victim.index.end());
  // JSON has no NaN, so the value after goes as bits too.
  return {{"line", receipt.fault},          {"layer", receipt.site}, {"index", index},
          {"before", victim.before},        {"after", victim.after}, {"bits_before", victim.bits_before},
          {"bits_after", victim.bits_after}};
}

json faults_json(const EngineRun& direct, const Injector& injector) {
  json faults = json::array();
  for (const Receipt& receipt : direct.receipts)
    faults.push_back(fault_json(receipt, injector));
  return faults;
}

json seconds_json(const WaveReport& report, double seconds) {
  double in_rules = 0;
  for (const auto& [op, value] : report.seconds)
    in_rules += value;
  return {{"all", seconds}, {"rules", report.seconds}, {"golden_and_rest", seconds - in_rules}};
}

std::shared_ptr<DirectEngine> direct_engine(const Subject& subject, int64_t batch) {
  return std::make_shared<DirectEngine>(subject.workload, DirectOptions{batch});
}

/// Rates of both engines, in turn, each time from a list of faults to top classes with golden runs of its
/// own.
struct Timing {
  std::vector<double> wave_rates, direct_rates;
  double wave_peak = 0, direct_peak = 0;  // MB
  EngineRun last_wave;
  WaveReport report;  // of the last wave
};

Timing time_engines(const Subject& subject, const std::vector<Trial>& trials,
                    const std::vector<Trial>& shared, int64_t batch, int rounds) {
  Timing timing;
  for (int round = 0; round < rounds; ++round) {
    const auto direct = direct_engine(subject, batch);
    reset_peak();
    timing.direct_rates.push_back(run_trials(*direct, shared, Keep::classes).rate());
    timing.direct_peak = std::max(timing.direct_peak, peak_megabytes());

    reset_peak();
    WaveEngine wave(subject.workload, direct);
    timing.last_wave = run_trials(wave, trials, Keep::classes);
    timing.wave_rates.push_back(timing.last_wave.rate());
    timing.wave_peak = std::max(timing.wave_peak, peak_megabytes());
    timing.report = wave.report();
  }
  return timing;
}

/// How many trials a run of the wave engine gets through in about `options.run_seconds`, judged by few, at
/// most `most`. Few trials have a golden forward among them that many share, so it is rather too small.
size_t affordable(const Subject& subject, const std::vector<Trial>& few, size_t most,
                  const Options& options) {
  WaveEngine wave(subject.workload, direct_engine(subject, 1));
  const double trials = run_trials(wave, few, Keep::classes).rate() * options.run_seconds;
  return std::clamp(static_cast<size_t>(trials), few.size(), std::max(most, few.size()));
}

/// Peak memory by size of a wave and budget, over what was resident before; sizes of more trials than
/// there are are left out.
json measure_memory(const Subject& subject, const std::vector<Trial>& trials, const Options& options) {
  json rows = json::array();
  for (const int64_t budget : options.budgets) {
    for (const int64_t size : kWaveSizes) {
      const auto available = static_cast<int64_t>(trials.size());
      if (size > available) continue;
      const int64_t count = std::min(kWavesForMemory * size, available);
      const std::vector<Trial> some(trials.begin(), trials.begin() + count);
      WaveEngine wave(subject.workload, direct_engine(subject, 1),
                      WaveOptions{.trials = size, .budget_bytes = budget * kMegabyte});
      reset_peak();
      const double before = resident_megabytes();
      const EngineRun done = run_trials(wave, some, Keep::classes);
      rows.push_back({{"budget_mb", budget},
                      {"trials_a_wave", size},
                      {"trials", count},
                      {"golden_forwards", wave.report().forwards},
                      {"per_second", done.rate()},
                      {"peak_mb_over_start", peak_megabytes() - before}});
    }
  }
  return rows;
}

json wave_json(const Subject& subject, const std::vector<Trial>& trials, const Timing& timing) {
  const WaveReport& report = timing.report;
  WaveEngine again(subject.workload, direct_engine(subject, 1));
  return {
      {"trials", trials.size()},
      {"per_second", median(timing.wave_rates)},
      {"rounds", timing.wave_rates},
      {"peak_mb", timing.wave_peak},
      {"seconds", seconds_json(report, timing.last_wave.seconds)},
      {"share_of_products", share_of_products(again, trials, subject.golden)},
      {"floor", floor_of(report, static_cast<double>(trials.size()) / median(timing.wave_rates),
                         subject.golden, subject.speed)},
      {"dirty", dirty_by_layer(report, subject.workload->injector().select(SiteKind::output), trials.size())},
      {"golden_forwards", report.forwards},
      {"run_by_direct", report.left},
      {"calls_without_a_rule", report.generic},
      {"classes", timing.last_wave.classes}};
}

void print(const std::string& error, const json& wave, const Timing& timing, const json& agreed) {
  const json& shares = wave["share_of_products"];
  std::cout << error << ": wave " << median(timing.wave_rates) << "/s, direct " << median(timing.direct_rates)
            << "/s; " << agreed.dump() << "\n  of the wave's time products "
            << 100 * shares["of_what_differs"].get<double>() << " %, golden forwards "
            << 100 * shares["golden_forwards"].get<double>() << " %";
  if (!wave["floor"].is_null()) {
    std::cout << "; floor " << wave["floor"]["seconds"].get<double>() << " s, taken "
              << wave["floor"]["times_the_floor"].get<double>() << " times that";
  }
  std::cout << std::endl;
}

json measure(const Subject& subject, const ErrorModelPtr& error, const Options& options) {
  // Engines come and go below; memory that they used once stays, as in a campaign that goes on.
  const std::shared_ptr<Engine> kept = direct_engine(subject, 1);
  const std::vector<Trial> shared = draw_trials(subject.layers, error, options.shared_trials);
  const int64_t batch = subject.workload->injector().batch_is_free() ? kDirectBatch : 1;

  const auto engine = direct_engine(subject, batch);
  WaveEngine wave_engine(subject.workload, engine);
  const EngineRun direct = run_trials(*engine, shared, Keep::everything);
  const json agreed = agreement(run_trials(wave_engine, shared, Keep::everything), direct);

  const std::vector<Trial> trials =
      draw_trials(subject.layers, error, affordable(subject, shared, options.trials, options));
  const Timing timing = time_engines(subject, trials, shared, batch, options.rounds);
  const json wave = wave_json(subject, trials, timing);
  print(error->text(), wave, timing, agreed);
  return {{"error", error->text()},
          {"faults", faults_json(direct, subject.workload->injector())},
          {"wave_and_direct", agreed},
          {"wave", wave},
          {"direct",
           {{"trials", shared.size()},
            {"batch", batch},
            {"per_second", median(timing.direct_rates)},
            {"rounds", timing.direct_rates},
            {"peak_mb", timing.direct_peak},
            {"classes", direct.classes}}}};
}

json measure_network(const Options& options) {
  const std::shared_ptr<Network> network = Network::open(options.network);
  const at::Tensor image = load_tensor(options.input).slice(0, 0, 1).contiguous();
  const auto inputs = std::shared_ptr<InputSet>(inputs_from_tensor(image));
  const at::Tensor scores = network->forward({image}).at(0).flatten().contiguous();
  const float* const first = scores.const_data_ptr<float>();

  const auto workload = std::make_shared<Workload>(network, inputs);
  const Subject subject{network, workload, choose_layers(workload->injector(), options.layers),
                        measure_golden(*network, image), measure_product_speed()};
  std::cout << "products: " << subject.speed.flops / 1e9 << " GFLOP/s (" << subject.speed.shape << ")\n";
  json result = {{"layers", subject.layers.size()},
                 {"golden_seconds", subject.golden.seconds},
                 {"golden_scores", std::vector<float>(first, first + scores.numel())},
                 {"product_gflops", subject.speed.flops / 1e9},
                 {"product_shape", subject.speed.shape},
                 {"torch", TORCH_VERSION},
                 {"threads", kThreads},
                 {"errors", json::array()}};
  for (const ErrorModelPtr& error : {bit_flip(), random_value(-1, 1)})
    result["errors"].push_back(measure(subject, error, options));
  // Random values live longest, so their waves need most.
  const ErrorModelPtr error = random_value(-1, 1);
  const std::vector<Trial> few = draw_trials(subject.layers, error, options.shared_trials);
  const size_t count = affordable(subject, few, options.memory_trials, options);
  result["memory"] = measure_memory(subject, draw_trials(subject.layers, error, count), options);
  return result;
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App program("Measures faults a second of wave and direct engine");
  program.add_option("NET", options.network, "Exported program (.pt2)")->required();
  program.add_option("INPUT", options.input, "Tensor file; its first image is used")->required();
  program.add_option("OUT", options.output, "JSON file to write")->required();
  program.add_option("--trials", options.trials, "Of the wave engine")->capture_default_str();
  program
      .add_option("--run-seconds", options.run_seconds,
                  "Fewer trials where a run of the wave would take longer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  program.add_option("--shared", options.shared_trials, "The first so many go through the direct engine too")
      ->capture_default_str();
  program.add_option("--rounds", options.rounds, "Timed repetitions; the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  program.add_option("--layers", options.layers,
                     "File of module names, one a line, to draw from (default: all convolutions)");
  program.add_option("--budgets", options.budgets, "Of what differs, in MB; memory is measured under each")
      ->delimiter(',')
      ->capture_default_str();
  program.add_option("--memory-trials", options.memory_trials, "At most so many where memory is measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(program.exit(error));
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    const torch::NoGradGuard no_grad;
    at::set_num_threads(kThreads);
    std::ofstream(options.output) << measure_network(options).dump(1) << "\n";
  } catch (const std::exception& error) {
    std::cerr << "bench_campaign_speed: " << error.what() << "\n";
    return 1;
  }
}
