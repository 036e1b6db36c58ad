// SPDX-License-Identifier: Apache-2.0
// How many faulty inferences a second does the wave engine give, and how many the direct one? Single-neuron
// faults at the outputs of convolutions, layer first, of one image.
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "faultwave/direct_engine.h"
#include "faultwave/memory.h"
#include "faultwave/population.h"
#include "faultwave/wave_engine.h"

#include "zoo/module_network.h"
#include "zoo/zoo.h"

namespace {

using namespace faultwave;

constexpr int64_t kImageSize = 224;
constexpr int64_t kDirectBatch = 16;
constexpr size_t kDirectTrials = 128;

struct Run {
  double seconds = 0;
  std::map<size_t, at::Tensor> scores;  // by trial

  double rate() const { return static_cast<double>(scores.size()) / seconds; }
};

Run run(Engine& engine, const std::vector<Trial>& trials) {
  Run result;
  const auto start = std::chrono::steady_clock::now();
  engine.run(trials,
             [&](size_t index, const TrialOutputs& outputs) { result.scores[index] = outputs.faulty.at(0); });
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// Largest difference of the two engines' scores, relative to the largest score of the trial; trials with
/// scores that are not finite are counted as equal where those are in the same places.
double largest_difference(const Run& wave, const Run& direct) {
  double largest = 0;
  for (const auto& [index, scores] : direct.scores) {
    const at::Tensor& other = wave.scores.at(index);
    if (!at::equal(scores.isfinite(), other.isfinite())) return INFINITY;
    if (!scores.isfinite().all().item<bool>()) continue;
    const double scale = scores.abs().max().item<double>();
    largest = std::max(largest, (scores - other).abs().max().item<double>() / scale);
  }
  return largest;
}

template <typename Net>
nlohmann::json measure(const std::string& name, Net net, const ErrorModelPtr& error, size_t count) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  const auto forward = [net](const at::Tensor& images) mutable {
    return std::vector<at::Tensor>{net->forward(images)};
  };
  const auto network = std::make_shared<zoo::ModuleNetwork>(net.ptr(), forward);
  const auto inputs =
      std::shared_ptr<InputSet>(inputs_from_tensor(torch::randn({1, 3, kImageSize, kImageSize})));
  const Injector injector(network, std::vector<c10::IValue>{inputs->get(0).unsqueeze(0)});
  const auto direct =
      std::make_shared<DirectEngine>(network, injector, inputs, DirectOptions{kDirectBatch, at::kCPU, {}});
  std::vector<Site> sites;
  for (const Site& site : injector.select(SiteKind::output)) {
    if (site.op == "aten::conv2d") sites.push_back(site);
  }
  const Population population(sites, DrawRule::layers, error);
  std::vector<Trial> trials;
  for (uint64_t number = 0; number < count; ++number) {
    Draw draw(1, number);
    trials.push_back({number, 0, {population.fault(population.draw(draw), draw)}});
  }
  const std::vector<Trial> few(trials.begin(), trials.begin() + static_cast<int64_t>(kDirectTrials));

  WaveEngine warm_up(network, injector, inputs, direct);
  const double difference = largest_difference(run(warm_up, few), run(*direct, few));
  if (!(difference < 1e-4)) {
    std::cerr << "wave: " << name << ": the engines differ by " << difference << "\n";
    std::exit(1);
  }
  WaveEngine engine(network, injector, inputs, direct);
  const Run wave = run(engine, trials);
  const Run reference = run(*direct, few);
  const WaveReport& report = engine.report();
  std::cout << name << ", " << error->text() << ": wave " << wave.rate() << "/s, direct " << reference.rate()
            << "/s, ratio " << wave.rate() / reference.rate() << ", largest difference " << difference
            << "\n";
  return {{"network", name},
          {"error", error->text()},
          {"trials", count},
          {"wave_per_second", wave.rate()},
          {"direct_per_second", reference.rate()},
          {"direct_batch", kDirectBatch},
          {"largest_relative_difference", difference},
          {"golden_forwards", report.forwards},
          {"run_by_direct", report.left},
          {"calls_without_a_rule", report.generic},
          {"seconds", wave.seconds},
          {"seconds_in_rules", report.seconds}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: bench_wave TRIALS OUT.json\n";
    return 2;
  }
  keep_freed_memory();
  const size_t trials = std::max<size_t>(std::stoul(argv[1]), kDirectTrials);
  torch::manual_seed(1);
  nlohmann::json rows = nlohmann::json::array();
  for (const ErrorModelPtr& error : {bit_flip(), random_value(-1, 1)}) {
    rows.push_back(measure("AlexNet", zoo::AlexNet(), error, trials));
    rows.push_back(measure("ResNet-18", zoo::ResNet18(), error, trials));
    rows.push_back(measure("MobileNetV2", zoo::MobileNetV2(), error, trials));
  }
  std::ofstream(argv[2]) << rows.dump(2) << "\n";
}
