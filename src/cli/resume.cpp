// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/campaign.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/run_blocks.h"

namespace faultwave::cli {
namespace {

struct ResumeOptions {
  std::string database;
  std::string specification;
  RunFlags flags;
  NetworkFlags network;
};

void resume(const ResumeOptions& options) {
  Store store = Store::open(options.database, Store::Access::write);
  Specification specification = recorded_specification(store, options.specification);
  apply(options.network, specification);
  specification.memory_bytes = options.flags.memory;
  const Campaign campaign = open_campaign(specification, &store);
  check_same_campaign(store.info(), campaign.info(specification, ""), options.database);
  run_blocks(campaign, store, options.flags, options.specification);
}

}  // namespace

void add_resume(CLI::App& program) {
  CLI::App* command = program.add_subcommand("resume", "Go on with a campaign that was interrupted");
  const auto options = std::make_shared<ResumeOptions>();
  command->add_option("DB", options->database, "The campaign's database")->required()->type_name("FILE");
  command->add_option("--spec", options->specification, "Where the specification lies now, if it was moved")
      ->type_name("FILE");
  add_run_flags(*command, options->flags);
  add_network_flags(*command, options->network);
  command->callback([options] { resume(*options); });
}

}  // namespace faultwave::cli
