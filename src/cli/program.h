// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace faultwave::cli {

/// Thrown by a subcommand that was stopped by a signal and left everything in order.
class Interrupted : public std::runtime_error {
 public:
  Interrupted(int signal, const std::string& message) : std::runtime_error(message), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

using AddCommand = void (*)(CLI::App& program);

/// Parses the command line, runs the subcommand, and turns what it throws into one line on standard error and
/// the published exit code (docs/campaigns.md): 0, the number of an ErrorCode, 1 for our own bugs, 128 +
/// signal.
int run_program(int argc, char** argv, const std::vector<AddCommand>& commands);

}  // namespace faultwave::cli
