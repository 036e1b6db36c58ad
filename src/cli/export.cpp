// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/report.h"

#include "src/campaign/recorded_extensions.h"
#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/output.h"

namespace faultwave::cli {
namespace {

struct ExportOptions {
  std::string database;
  std::string format = "csv";
  std::string output;
  bool force = false;
  std::vector<std::string> plugins;
};

void export_trials(const ExportOptions& options) {
  check_may_write(options.output, options.force);
  load_plugins(options.plugins);
  const Store store = Store::open(options.database, Store::Access::read);
  const std::string missing = missing_extension(store.info());
  const bool has_rows_for_all = store.info().specification.keeps_all();
  if (!missing.empty() && !has_rows_for_all) print_warnings({missing});
  write_output(options.output, [&](std::ostream& out) {
    if (options.format == "json") {
      write_json(store, out);
    } else {
      write_csv(store, out);
    }
  });
}

}  // namespace

void add_export(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("export", "Write one row a trial: fault, receipt, outcome, criteria");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("DB", options->database, "The campaign's database")->required()->type_name("FILE");
  command->add_option("--format", options->format, "csv or json")
      ->check(CLI::IsMember({"csv", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "File to write (default: standard output)")
      ->type_name("FILE");
  command->add_flag("--force", options->force, "Overwrite a file that exists");
  add_plugin_flag(*command, options->plugins);
  command->callback([options] { export_trials(*options); });
}

}  // namespace faultwave::cli
