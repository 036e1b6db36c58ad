// SPDX-License-Identifier: Apache-2.0
// One of the processes that `run --workers` starts. Not for people: it is left out of the help.
#include "src/workers/worker.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "faultwave/campaign.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/run_blocks.h"
#include "src/workers/watch_page.h"

namespace faultwave::cli {
namespace {

struct WorkerOptions {
  std::string database;
  std::string specification;
  int socket = -1;
  int page = -1;
  int64_t memory = 0;
  std::vector<std::string> plugins;
  NetworkFlags network;
};

void work(const WorkerOptions& options) {
  load_plugins(options.plugins);
  WatchPage page(options.page);
  const Store store = Store::open(options.database, Store::Access::read);
  Specification specification = recorded_specification(store, options.specification);
  apply(options.network, specification);
  specification.memory_bytes = options.memory;
  const Campaign campaign = open_campaign(specification, &store);
  check_same_campaign(store.info(), campaign.info(specification, ""), options.database);
  serve_blocks(campaign, store, options.socket, page);
}

}  // namespace

void add_worker(CLI::App& program) {
  CLI::App* command = program.add_subcommand("worker", "");
  command->group("");
  const auto options = std::make_shared<WorkerOptions>();
  command->add_option("DB", options->database)->required();
  command->add_option("--spec", options->specification);
  command->add_option("--socket", options->socket)->required();
  command->add_option("--page", options->page)->required();
  add_memory_flag(*command, options->memory);
  add_network_flags(*command, options->network);
  add_plugin_flag(*command, options->plugins);
  command->callback([options] { work(*options); });
}

}  // namespace faultwave::cli
