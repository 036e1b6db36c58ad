// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/run_blocks.h"
#include "src/workers/supervise.h"

namespace faultwave::cli {

void add_resume(CLI::App& program) {
  CLI::App* command = program.add_subcommand("resume", "Go on with a campaign that was interrupted");
  const auto options = std::make_shared<ResumeOptions>();
  command->add_option("DB", options->database, "The campaign's database")->required()->type_name("FILE");
  command->add_option("--spec", options->specification, "Where the specification lies now, if it was moved")
      ->type_name("FILE");
  add_run_flags(*command, options->flags);
  add_network_flags(*command, options->network);
  command->callback([options] {
    supervise([&](WatchPage& page) { resume_blocks(*options, page); },
              [&](WatchPage& page, const EndedTrials& ended) { resume_blocks(*options, page, &ended); },
              [&] { return interrupted_text(options->database); });
  });
}

}  // namespace faultwave::cli
