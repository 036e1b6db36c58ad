// SPDX-License-Identifier: Apache-2.0
#include "faultwave/perturb.h"

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/error.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/output.h"
#include "src/cli/receipt_text.h"

namespace faultwave::cli {
namespace {

struct PerturbOptions {
  std::string model;
  std::vector<std::string> faults;
  std::string output;
  bool force = false;
  std::vector<std::string> plugins;
};

void write_perturbed(const PerturbOptions& options) {
  load_plugins(options.plugins);
  std::vector<Fault> faults;
  for (const std::string& line : options.faults) {
    for (Fault& fault : parse_faults(line))
      faults.push_back(std::move(fault));
  }
  check_may_write(options.output, options.force);
  const std::shared_ptr<NetworkFile> network = Network::open(options.model);
  const std::vector<Receipt> receipts = perturb(*network, faults);
  network->save(options.output);
  for (const Receipt& receipt : receipts)
    std::cout << receipt_text(receipt);
  std::cout << "written   " << options.output << " (" << network->format() << ")\n";
}

}  // namespace

void add_perturb(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "perturb", "Write a copy of a network whose weights, biases or buffers are changed for good");
  const auto options = std::make_shared<PerturbOptions>();
  command->add_option("MODEL", options->model, "The network: an exported program (.pt2) or TorchScript (.pt)")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--fault", options->faults, "A fault line of kind weight, bias or buffer; may be repeated")
      ->required()
      ->type_name("LINE")
      ->allow_extra_args(false);
  command->add_option("-o,--output", options->output, "The file to write, in the format of MODEL")
      ->required()
      ->type_name("FILE");
  command->add_flag("--force", options->force, "Overwrite a file that exists");
  add_plugin_flag(*command, options->plugins);
  command->callback([options] { write_perturbed(*options); });
}

}  // namespace faultwave::cli
