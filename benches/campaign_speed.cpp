// SPDX-License-Identifier: Apache-2.0
// How many faulty inferences a second, by wave engine and direct engine? Single-neuron faults of one image at
// the outputs of layers, layer first, as PyTorchFI draws them. campaign_speed.py runs the same faults there.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <nlohmann/json.hpp>

#include "faultwave/direct_engine.h"
#include "faultwave/memory.h"
#include "faultwave/population.h"
#include "faultwave/wave_engine.h"

namespace {

using namespace faultwave;
using nlohmann::json;

constexpr int kThreads = 2;
constexpr int64_t kDirectBatch = 16;
constexpr uint64_t kSeed = 1;
constexpr int kGoldenRounds = 9;
constexpr int64_t kCrashed = -1;  // in place of a class

struct Options {
  std::string network;
  std::string input;
  std::string output;
  std::string layers;
  size_t trials = 2000;
  size_t shared_trials = 64;  // that the direct engine runs too, and PyTorchFI after it
  int rounds = 3;
};

/// What stays the same for both error models.
struct Subject {
  std::shared_ptr<Network> network;
  std::shared_ptr<InputSet> inputs;
  const Injector& injector;
  std::vector<Site> layers;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Most memory that was resident since the last reset, in MB.
double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

/// So that what one engine took does not count as the other's. Where the kernel does not let us, the peak is
/// that of the whole process so far.
void reset_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

/// The first NaN counts as the largest, as in torch.argmax.
int64_t top_class(const at::Tensor& scores) {
  const at::Tensor values = scores.contiguous();
  const float* const begin = values.const_data_ptr<float>();
  const float* const end = begin + values.numel();
  const float* const nan = std::find_if(begin, end, [](float value) { return std::isnan(value); });
  return (nan != end ? nan : std::max_element(begin, end)) - begin;
}

struct Run {
  double seconds = 0;
  std::vector<int64_t> classes;  // by trial, as are those below
  std::vector<at::Tensor> scores;
  std::vector<Receipt> receipts;

  double rate() const { return static_cast<double>(classes.size()) / seconds; }
};

enum class Keep { classes, everything };

Run run(Engine& engine, const std::vector<Trial>& trials, Keep keep) {
  Run result;
  result.classes.resize(trials.size());
  if (keep == Keep::everything) {
    result.scores.resize(trials.size());
    result.receipts.resize(trials.size());
  }
  const auto sink = [&](size_t index, const TrialOutputs& outputs) {
    const bool crashed = !outputs.crash.empty();
    result.classes[index] = crashed ? kCrashed : top_class(outputs.faulty.at(0));
    if (keep == Keep::classes) return;
    if (!crashed) result.scores[index] = outputs.faulty.at(0).clone();
    result.receipts[index] = outputs.receipts.at(0);
  };
  result.seconds = seconds_of([&] { engine.run(trials, sink); });
  return result;
}

/// Relative to the largest score; infinite where scores are finite in other places.
double difference(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() && !b.defined()) return 0;
  if (!a.defined() || !b.defined() || !at::equal(a.isfinite(), b.isfinite())) return INFINITY;
  const at::Tensor finite = a.isfinite();
  if (!finite.any().item<bool>()) return 0;
  const at::Tensor left = a.masked_select(finite);
  const double scale = left.abs().max().item<double>();
  return scale == 0 ? 0 : (left - b.masked_select(finite)).abs().max().item<double>() / scale;
}

json agreement(const Run& wave, const Run& direct) {
  double largest = 0;
  size_t other_class = 0, other_nonfinite = 0;
  for (size_t i = 0; i < direct.classes.size(); ++i) {
    other_class += wave.classes[i] != direct.classes[i];
    const double value = difference(wave.scores[i], direct.scores[i]);
    if (std::isfinite(value)) {
      largest = std::max(largest, value);
    } else {
      ++other_nonfinite;
    }
  }
  return {{"trials", direct.classes.size()},
          {"top1_differs", other_class},
          {"nonfinite_scores_differ", other_nonfinite},
          {"largest_relative_difference", largest}};
}

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

json faults_json(const Run& direct, const Injector& injector) {
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

/// Rates of both engines, in turn, each time from a list of faults to top classes with golden runs of its
/// own.
struct Timing {
  std::vector<double> wave_rates, direct_rates;
  double wave_peak = 0, direct_peak = 0;  // MB
  Run last_wave;
  WaveReport report;  // of the last wave
};

Timing time_engines(const Subject& subject, const std::vector<Trial>& trials,
                    const std::vector<Trial>& shared, int64_t batch, int rounds) {
  const DirectOptions direct_options{batch, at::kCPU, {}};
  Timing timing;
  for (int round = 0; round < rounds; ++round) {
    const auto direct =
        std::make_shared<DirectEngine>(subject.network, subject.injector, subject.inputs, direct_options);
    reset_peak();
    timing.direct_rates.push_back(run(*direct, shared, Keep::classes).rate());
    timing.direct_peak = std::max(timing.direct_peak, peak_megabytes());

    reset_peak();
    WaveEngine wave(subject.network, subject.injector, subject.inputs, direct);
    timing.last_wave = run(wave, trials, Keep::classes);
    timing.wave_rates.push_back(timing.last_wave.rate());
    timing.wave_peak = std::max(timing.wave_peak, peak_megabytes());
    timing.report = wave.report();
  }
  return timing;
}

json measure(const Subject& subject, const ErrorModelPtr& error, const Options& options) {
  const std::vector<Trial> trials = draw_trials(subject.layers, error, options.trials);
  const std::vector<Trial> shared(trials.begin(),
                                  trials.begin() + static_cast<int64_t>(options.shared_trials));
  const int64_t batch = subject.injector.batch_is_free() ? kDirectBatch : 1;

  const auto direct_engine = std::make_shared<DirectEngine>(subject.network, subject.injector, subject.inputs,
                                                            DirectOptions{batch, at::kCPU, {}});
  WaveEngine wave_engine(subject.network, subject.injector, subject.inputs, direct_engine);
  const Run direct = run(*direct_engine, shared, Keep::everything);
  const json agreed = agreement(run(wave_engine, shared, Keep::everything), direct);

  const Timing timing = time_engines(subject, trials, shared, batch, options.rounds);
  const WaveReport& report = timing.report;
  std::cout << error->text() << ": wave " << median(timing.wave_rates) << "/s, direct "
            << median(timing.direct_rates) << "/s; " << agreed.dump() << std::endl;
  return {{"error", error->text()},
          {"faults", faults_json(direct, subject.injector)},
          {"wave_and_direct", agreed},
          {"wave",
           {{"trials", trials.size()},
            {"per_second", median(timing.wave_rates)},
            {"rounds", timing.wave_rates},
            {"peak_mb", timing.wave_peak},
            {"seconds", seconds_json(report, timing.last_wave.seconds)},
            {"golden_forwards", report.forwards},
            {"run_by_direct", report.left},
            {"calls_without_a_rule", report.generic},
            {"multiply_adds", report.multiply_adds},
            {"classes", timing.last_wave.classes}}},
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

  const at::Tensor golden = network->forward({image}).at(0).flatten().contiguous();
  std::vector<double> golden_seconds;
  for (int round = 0; round < kGoldenRounds; ++round)
    golden_seconds.push_back(seconds_of([&] { network->forward({image}); }));

  const Injector injector(network, std::vector<c10::IValue>{image});
  const Subject subject{network, inputs, injector, choose_layers(injector, options.layers)};
  json result = {{"layers", subject.layers.size()},
                 {"golden_seconds", median(golden_seconds)},
                 {"golden_scores", std::vector<float>(golden.const_data_ptr<float>(),
                                                      golden.const_data_ptr<float>() + golden.numel())},
                 {"torch", TORCH_VERSION},
                 {"threads", kThreads},
                 {"errors", json::array()}};
  for (const ErrorModelPtr& error : {bit_flip(), random_value(-1, 1)})
    result["errors"].push_back(measure(subject, error, options));
  return result;
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App program("Measures faults a second of wave and direct engine");
  program.add_option("NET", options.network, "Exported program (.pt2)")->required();
  program.add_option("INPUT", options.input, "Tensor file; its first image is used")->required();
  program.add_option("OUT", options.output, "JSON file to write")->required();
  program.add_option("--trials", options.trials, "Of the wave engine")->capture_default_str();
  program.add_option("--shared", options.shared_trials, "The first so many go through the direct engine too")
      ->capture_default_str();
  program.add_option("--rounds", options.rounds, "Timed repetitions; the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  program.add_option("--layers", options.layers,
                     "File of module names, one a line, to draw from (default: all convolutions)");
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(program.exit(error));
  }
  options.trials = std::max(options.trials, options.shared_trials);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
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
