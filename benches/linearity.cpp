// SPDX-License-Identifier: Apache-2.0
// Does the cost of a campaign grow linearly with its trials? The wave engine on AlexNet, from 10^2 trials up
// in powers of ten: single bit flips at the outputs of convolutions, layer first, of one image. Each count is
// timed from drawing its first fault to judging its last scores.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
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
#include "zoo/module_network.h"
#include "zoo/zoo.h"

namespace {

using namespace faultwave;
using namespace faultwave::bench;
using nlohmann::json;

constexpr int kThreads = 2;
constexpr int64_t kImageSize = 224;
constexpr uint64_t kSeed = 1;
constexpr uint64_t kTrialsCompared = 64;
// Short counts are repeated, and the median counts.
constexpr double kSecondsACount = 2;
constexpr size_t kMostRounds = 9;

struct Options {
  std::string output;
  int least = 2;  // powers of ten
  int most = 6;
};

/// AlexNet with seeded weights, one random image, and where faults fall.
class AlexNetCase {
 public:
  AlexNetCase()
      : net_(make_net()),
        network_(std::make_shared<zoo::ModuleNetwork>(net_.ptr(),
                                                      [net = net_](const at::Tensor& images) mutable {
                                                        return std::vector<at::Tensor>{net->forward(images)};
                                                      })),
        workload_(std::make_shared<Workload>(network_, make_input())),
        population_(convolutions(workload_->injector()), DrawRule::layers, bit_flip()),
        direct_(std::make_shared<DirectEngine>(workload_)) {}

  Engine& direct() { return *direct_; }
  WaveEngine wave() const { return {workload_, direct_}; }

  std::vector<Trial> draw(uint64_t first, uint64_t count) const {
    std::vector<Trial> trials;
    for (uint64_t number = first; number < first + count; ++number) {
      Draw draw(kSeed, number);
      trials.push_back({number, 0, {population_.fault(population_.draw(draw), draw)}});
    }
    return trials;
  }

 private:
  static zoo::AlexNet make_net() {
    torch::manual_seed(1);
    return zoo::AlexNet();
  }

  static std::shared_ptr<InputSet> make_input() {
    torch::manual_seed(2);
    return inputs_from_tensor(torch::randn({1, 3, kImageSize, kImageSize}));
  }

  static std::vector<Site> convolutions(const Injector& injector) {
    std::vector<Site> sites;
    for (const Site& site : injector.select(SiteKind::output)) {
      if (site.op == "aten::conv2d") sites.push_back(site);
    }
    return sites;
  }

  zoo::AlexNet net_;
  std::shared_ptr<Network> network_;
  std::shared_ptr<Workload> workload_;
  Population population_;
  std::shared_ptr<DirectEngine> direct_;
};

/// Both engines give the first trials the same scores, or there is nothing to time.
void check_answers(AlexNetCase& subject) {
  const std::vector<Trial> trials = subject.draw(0, kTrialsCompared);
  WaveEngine wave = subject.wave();
  const json agreed = agreement(run_trials(wave, trials, Keep::everything),
                                run_trials(subject.direct(), trials, Keep::everything));
  const bool is_same = agreed["nonfinite_scores_differ"] == 0 &&
                       agreed["largest_relative_difference"].get<double>() < kWaveRounding;
  if (!is_same) throw std::runtime_error("wave and direct engine differ: " + agreed.dump());
}

double seconds_for(const AlexNetCase& subject, uint64_t count) {
  WaveEngine wave = subject.wave();
  const auto call = static_cast<uint64_t>(wave.trials_a_call());
  return seconds_of([&] {
    for (uint64_t first = 0; first < count; first += call)
      run_trials(wave, subject.draw(first, std::min(call, count - first)), Keep::classes);
  });
}

json measure(const AlexNetCase& subject, uint64_t count) {
  std::vector<double> rounds;
  double spent = 0;
  reset_peak();
  while (rounds.empty() || (spent < kSecondsACount && rounds.size() < kMostRounds)) {
    rounds.push_back(seconds_for(subject, count));
    spent += rounds.back();
  }
  const double seconds = median(rounds);
  const double each = seconds / static_cast<double>(count);
  const double peak = peak_megabytes();
  std::printf("| %llu | %.3f s | %.1f us | %.0f MB |\n", static_cast<unsigned long long>(count), seconds,
              1e6 * each, peak);
  std::fflush(stdout);
  return {{"trials", count},
          {"seconds", seconds},
          {"rounds", rounds},
          {"seconds_a_trial", each},
          {"peak_mb", peak}};
}

/// The exponent of a power law through the last two counts, in which a golden forward no longer weighs: 1 is
/// linear.
double exponent(const json& rows) {
  const json& last = rows.back();
  const json& before = rows[rows.size() - 2];
  return std::log(last["seconds"].get<double>() / before["seconds"].get<double>()) /
         std::log(last["trials"].get<double>() / before["trials"].get<double>());
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App program("Measures how time and memory of the wave engine grow with the number of trials");
  program.add_option("OUT", options.output, "JSON file to write")->required();
  program.add_option("--least", options.least, "Power of ten of the fewest trials")->capture_default_str();
  program.add_option("--most", options.most, "Power of ten of the most trials")->capture_default_str();
  try {
    program.parse(argc, argv);
    if (options.least < 1 || options.most <= options.least || options.most > 9) {
      throw CLI::ValidationError("--least and --most", "expected 1 <= least < most <= 9");
    }
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
    AlexNetCase subject;
    check_answers(subject);
    std::printf("| trials | time | a trial | peak memory |\n|---|---|---|---|\n");
    json rows = json::array();
    for (int power = options.least; power <= options.most; ++power)
      rows.push_back(measure(subject, static_cast<uint64_t>(std::llround(std::pow(10, power)))));
    std::printf("between the last two, time grows as trials to the power of %.3f\n", exponent(rows));
    const json result = {{"network", "AlexNet"},   {"error", bit_flip()->text()}, {"threads", kThreads},
                         {"torch", TORCH_VERSION}, {"exponent", exponent(rows)},  {"rows", rows}};
    std::ofstream(options.output) << result.dump(2) << "\n";
  } catch (const std::exception& error) {
    std::cerr << "bench_linearity: " << error.what() << "\n";
    return 1;
  }
}
