// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/report.h"

#include "src/cli/commands.h"

namespace faultwave::cli {
namespace {

struct StatsOptions {
  std::string database;
  std::string by = "layer";
  bool json = false;
};

void stats(const StatsOptions& options) {
  const Summary summary =
      summarize(Store::open(options.database, Store::Access::read), parse_group_by(options.by));
  std::cout << (options.json ? json_report(summary) : text_report(summary));
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
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { stats(*options); });
}

}  // namespace faultwave::cli
