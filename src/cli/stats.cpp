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
  bool json = false;
};

void stats(const StatsOptions& options) {
  const Summary summary = summarize(Store::open(options.database, Store::Access::read));
  std::cout << (options.json ? json_report(summary) : text_report(summary));
}

}  // namespace

void add_stats(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "stats",
      "Print how often faults did what, over all and by layer, with intervals; also while a campaign runs");
  const auto options = std::make_shared<StatsOptions>();
  command->add_option("DB", options->database, "The campaign's database")->required()->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { stats(*options); });
}

}  // namespace faultwave::cli
