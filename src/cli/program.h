// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace CLI {
class App;
}

namespace faultwave::cli {

using AddCommand = void (*)(CLI::App& program);

/// Parses the command line, runs the subcommand, and turns what it throws into one line on standard error and
/// the published exit code (docs/campaigns.md): 0, the number of an ErrorCode, 1 for our own bugs, 128 +
/// signal.
int run_program(int argc, char** argv, const std::vector<AddCommand>& commands);

}  // namespace faultwave::cli
