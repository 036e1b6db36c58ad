// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "faultwave/specification.h"

namespace CLI {
class App;
class Validator;
}

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

/// Sets libtorch's number of threads. Throws UserError(usage) for a device or dtype that does not exist.
void apply(const NetworkFlags& flags);

/// Likewise, and puts the flags that were given in place of what a specification says.
void apply(const NetworkFlags& flags, Specification& specification);

}  // namespace faultwave::cli
