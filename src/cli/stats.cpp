// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "faultwave/report.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/output.h"
#include "src/report/fit_table.h"

namespace faultwave::cli {
namespace {

struct StatsOptions {
  std::string database;
  std::string by = "layer";
  bool json = false;
  std::optional<double> fit_per_megabit;
};

void stats(const StatsOptions& options) {
  const Store store = Store::open(options.database, Store::Access::read);
  const Summary summary = summarize(store, parse_group_by(options.by));
  std::string report = options.json ? json_report(summary) : text_report(summary, 0, output_width());
  if (options.fit_per_megabit) {
    const FitTable fits = fit_table(store, *options.fit_per_megabit);
    report = options.json ? with_fit(report, fits) : report + "\n" + fit_text(fits);
  }
  std::cout << report;
}

}  // namespace

void add_stats(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "stats",
      "Print how often faults did what, over all and by layer, with intervals; also while a campaign runs");
  const auto options = std::make_shared<StatsOptions>();
  command->add_option("DB", options->database, "The campaign's database")->required()->type_name("FILE");
  command->add_option("--by", options->by, "Table by layer, bit, channel, class (golden top class) or input")
      ->check(CLI::IsMember({"layer", "bit", "channel", "class", "input"}))
      ->type_name("WHAT")
      ->capture_default_str();
  command
      ->add_option("--fit-per-mbit", options->fit_per_megabit,
                   "Upsets of the memory in FIT per Mbit (10^6 bits): adds failures in time by layer")
      ->type_name("X")
      ->check(in_range("--fit-per-mbit"));
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { stats(*options); });
}

}  // namespace faultwave::cli
