// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "faultwave/campaign.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/output.h"
#include "src/cli/run_blocks.h"
#include "src/workers/supervise.h"

namespace faultwave::cli {
namespace {

struct RunOptions {
  std::string specification;
  std::string database;
  std::string shard;
  std::string engine;
  std::optional<double> audit;
  RunFlags flags;
  NetworkFlags network;
};

void run(const RunOptions& options, WatchPage& page) {
  load_plugins(options.flags.plugins);
  const Shard shard = parse_shard(options.shard);
  const Specification file = load_specification(options.specification);
  Specification specification = file;
  apply(options.network, specification);
  if (!options.engine.empty()) specification.engine = options.engine;
  if (options.audit) specification.audit = *options.audit;
  specification.memory_bytes = options.flags.memory;
  check_new_database(options.database, specification);

  const Campaign campaign = open_campaign(specification);
  print_warnings(campaign.parts().warnings);
  const std::string path = std::filesystem::absolute(options.specification).lexically_normal().string();
  Store store = Store::create(options.database, campaign.info(file, path, shard));
  run_blocks(campaign, store, options.flags, page);
}

/// Goes on with the campaign that was begun.
void go_on(const RunOptions& options, WatchPage& page, const EndedTrials& ended) {
  ResumeOptions resume{
      .database = options.database, .specification = {}, .flags = options.flags, .network = {}};
  resume.network.threads = options.network.threads;  // the database has the others
  resume_blocks(resume, page, &ended);
}

}  // namespace

void add_run(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("run", "Run a campaign: many faults, one outcome each, into a database");
  const auto options = std::make_shared<RunOptions>();
  command
      ->add_option("SPEC", options->specification,
                   "The campaign's specification, a TOML file (docs/campaigns.md)")
      ->required()
      ->type_name("FILE");
  command->add_option("--db", options->database, "The database to create")->required()->type_name("FILE");
  command
      ->add_option("--shard", options->shard,
                   "Run only part I of N, for machines that share a campaign; join them with `faultwave "
                   "merge`")
      ->type_name("I/N");
  command
      ->add_option("--engine", options->engine,
                   "wave computes only what differs; direct makes every trial a real faulty run")
      ->type_name("NAME")
      ->check(CLI::IsMember({"wave", "direct"}));
  command
      ->add_option("--audit", options->audit,
                   "Share of the wave's trials that are run again as real faulty runs, 0 to 1")
      ->type_name("SHARE")
      ->check(in_range("audit"));
  add_run_flags(*command, options->flags);
  add_network_flags(*command, options->network);
  command->callback([options] {
    supervise([&](WatchPage& page) { run(*options, page); },
              [&](WatchPage& page, const EndedTrials& ended) { go_on(*options, page, ended); },
              [&] { return interrupted_text(options->database); });
  });
}

}  // namespace faultwave::cli
