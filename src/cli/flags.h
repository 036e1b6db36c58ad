// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/specification.h"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace faultwave::cli {

/// Flags of every subcommand that runs a network.
struct NetworkFlags {
  std::string device;  ///< "" if not given
  std::string dtype;   ///< "" if not given
  int threads = 0;     ///< 0 if not given
};

/// Adds --device, --dtype and --threads. `flags` must live until the callback of the command has run.
void add_network_flags(CLI::App& command, NetworkFlags& flags);

/// For an option's check(): a number within its range (number_ranges()).
CLI::Validator in_range(const std::string& key);

/// Adds --plugin. `files` must live until the callback of the command has run, and be given to load_plugins()
/// there, in the process that does the work, before anything names an error model or a criterion.
void add_plugin_flag(CLI::App& command, std::vector<std::string>& files);
/// Throws UserError.
void load_plugins(const std::vector<std::string>& files);

/// Sets libtorch's number of threads. Throws UserError(usage) for a device or dtype that does not exist.
void apply(const NetworkFlags& flags);

/// Likewise, and puts the flags that were given in place of what a specification says.
void apply(const NetworkFlags& flags, Specification& specification);

}  // namespace faultwave::cli
