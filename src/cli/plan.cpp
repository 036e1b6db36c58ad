// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "faultwave/campaign.h"
#include "faultwave/error.h"
#include "faultwave/planning.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/output.h"
#include "src/common/numbers.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

struct PlanOptions {
  std::string specification;
  double half_width = 0;
  double rate = 0;
  double seconds = 10;
  NetworkFlags network;
  std::vector<std::string> plugins;
};

/// What a short calibration saw.
struct Calibration {
  int64_t trials = 0;
  int64_t events = 0;
  double trials_per_second = 0;
};

/// Runs trials of the campaign, block by block, for about so long. Nothing is stored.
Calibration calibrate(const Campaign& campaign, const Specification& spec, double seconds) {
  using Clock = std::chrono::steady_clock;
  const Sampler& sampler = *campaign.parts().sampler;
  std::vector<double> weights;
  for (size_t i = 0; i < sampler.strata().size(); ++i)
    weights.push_back(sampler.strata().weight(i));
  const Round round{
      .number = 0, .first_trial = 0, .trials = campaign.trials(), .shares = Shares::of(weights).ends};
  const int64_t size = std::min<int64_t>(spec.batch * 4, campaign.trials());

  Calibration seen;
  campaign.run_block(round, {0, 0, size}, {}, {});  // warms up
  const auto start = Clock::now();
  while (true) {
    const int64_t first = seen.trials % std::max<int64_t>(campaign.trials() - size + 1, 1);
    const std::optional<BlockResult> result = campaign.run_block(round, {0, first, size}, {}, {});
    for (const TrialOutcome& outcome : result.value().outcomes)
      seen.events += outcome.fired & 1;
    seen.trials += size;
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    seen.trials_per_second = static_cast<double>(seen.trials) / elapsed.count();
    if (elapsed.count() >= seconds) return seen;
  }
}

std::string time_text(double seconds) {
  if (seconds < 120) return format_fixed(seconds, 0) + " s";
  if (seconds < 7200) return format_fixed(seconds / 60, 0) + " min";
  return format_fixed(seconds / 3600, 1) + " h";
}

/// "1.2e+09" beyond what is read digit by digit.
std::string population_text(double population) {
  if (population < 1e12) return grouped(static_cast<int64_t>(population));
  return format_digits(population, 3);
}

void print_row(const std::string& way, int64_t trials, double trials_per_second) {
  char line[160];
  std::snprintf(line, sizeof line, "  %-58s %15s %10s\n", way.c_str(), grouped(trials).c_str(),
                time_text(static_cast<double>(trials) / trials_per_second).c_str());
  std::cout << line;
}

void plan(const PlanOptions& options) {
  load_plugins(options.plugins);
  Specification spec = load_specification(options.specification);
  apply(options.network, spec);
  const double half_width = options.half_width > 0 ? options.half_width : spec.stop.half_width;
  if (half_width <= 0) {
    throw UserError(ErrorCode::usage,
                    "how narrow shall the interval be? Give --half-width, such as 0.002 for "
                    "0.2 %, or half_width in [stop]");
  }
  const Campaign campaign = open_campaign(spec);
  print_warnings(campaign.parts().warnings);
  const Sampler& sampler = *campaign.parts().sampler;
  const double population =
      static_cast<double>(sampler.population().size()) * static_cast<double>(sampler.eligible_inputs());
  const Calibration seen = calibrate(campaign, spec, options.seconds);
  const Interval pilot = clopper_pearson(seen.events, seen.trials, spec.confidence);
  const double rate = options.rate > 0 ? options.rate : std::clamp(pilot.estimate, 1e-6, 1 - 1e-6);

  const std::string speed = format_fixed(seen.trials_per_second, 1);
  const std::string& criterion = campaign.columns().at(0);
  std::cout << "Population  " << population_text(population)
            << (sampler.population().is_finite() ? " faults (places, bits and inputs)"
                                                 : " places on inputs, and any value")
            << "\nHere        " << speed << " trials/s, measured on " << grouped(seen.trials)
            << " trials\nRate        " << criterion << " " << percent(pilot) << " in these";
  if (options.rate > 0) std::cout << "; planned for " << exact(100 * rate) << " % as given";
  std::cout << "\nWanted      half-width " << exact(100 * half_width) << " % at "
            << exact(100 * spec.confidence) << " % confidence\n\n";
  const double speed_here = seen.trials_per_second;
  print_row("trials fixed beforehand, any rate (finite population)",
            finite_population_trials(population, half_width, 0.5, spec.confidence), speed_here);
  print_row("trials fixed beforehand, this rate (finite population)",
            finite_population_trials(population, half_width, rate, spec.confidence), speed_here);
  print_row("trials fixed beforehand, this rate (Clopper-Pearson)",
            clopper_pearson_trials(half_width, rate, spec.confidence), speed_here);
  print_row("[stop] half_width, this rate (confidence sequence)",
            sequential_trials(half_width, rate, spec.confidence), speed_here);
  std::cout << "\nStratified sampling (draw = \"stratified\") needs fewer where few bits do all the harm; "
               "how many shows "
               "as it runs.\n";
}

}  // namespace

void add_plan(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "plan",
      "Tell how many trials an interval needs, and how long they take here, from a short calibration");
  const auto options = std::make_shared<PlanOptions>();
  command->add_option("SPEC", options->specification, "The campaign's specification, a TOML file")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--half-width", options->half_width,
                   "Half-width of the interval, such as 0.002 for 0.2 % (default: that of [stop])")
      ->check(in_range("half_width"))
      ->type_name("X");
  command->add_option("--rate", options->rate, "Rate to expect (default: what the calibration sees)")
      ->check(in_range("--rate"))
      ->type_name("P");
  command->add_option("--seconds", options->seconds, "Length of the calibration")
      ->check(in_range("--seconds"))
      ->type_name("S")
      ->capture_default_str();
  add_network_flags(*command, options->network);
  add_plugin_flag(*command, options->plugins);
  command->callback([options] { plan(*options); });
}

}  // namespace faultwave::cli
