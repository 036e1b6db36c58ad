// SPDX-License-Identifier: Apache-2.0
#include "faultwave/merge.h"

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/store.h"

#include "src/cli/commands.h"
#include "src/cli/interrupt.h"
#include "src/cli/program.h"
#include "src/report/numbers.h"
#include "src/workers/interrupted.h"

namespace faultwave::cli {
namespace {

struct MergeOptions {
  std::vector<std::string> databases;
  std::string output;
};

void merge(const MergeOptions& options) {
  const InterruptGuard interrupt;
  if (!merge_campaigns(options.databases, options.output, when(interrupt.flag())))
    throw Interrupted(interrupt.signal(), "interrupted; '" + options.output + "' was not made");
  const Store store = Store::open(options.output, Store::Access::read);
  std::cout << "'" << options.output << "' has all " << grouped(store.trials_done()) << " trials\n";
}

}  // namespace

void add_merge(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "merge", "Join the shards of a campaign into the database that one machine would have made");
  const auto options = std::make_shared<MergeOptions>();
  command->add_option("DB", options->databases, "The databases of all shards, in any order")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--output", options->output, "The database to create")
      ->required()
      ->type_name("FILE");
  command->callback([options] { merge(*options); });
}

}  // namespace faultwave::cli
