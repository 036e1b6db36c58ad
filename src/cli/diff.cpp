// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/comparison.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"

namespace faultwave::cli {
namespace {

struct DiffOptions {
  std::string first;
  std::string second;
  bool json = false;
  std::vector<std::string> plugins;
};

void diff(const DiffOptions& options) {
  load_plugins(options.plugins);
  const Store first = Store::open(options.first, Store::Access::read);
  const Store second = Store::open(options.second, Store::Access::read);
  const Comparison comparison = compare(first, second);
  std::cout << (options.json ? json_report(comparison) : text_report(comparison));
}

}  // namespace

void add_diff(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "diff", "Compare two campaigns with the same faults trial by trial: is the protected network better?");
  const auto options = std::make_shared<DiffOptions>();
  command->add_option("A", options->first, "The database of one campaign")->required()->type_name("FILE");
  command->add_option("B", options->second, "That of the other")->required()->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  add_plugin_flag(*command, options->plugins);
  command->callback([options] { diff(*options); });
}

}  // namespace faultwave::cli
