// SPDX-License-Identifier: Apache-2.0
#include "src/cli/program.h"

#include <c10/util/Exception.h>
#include <c10/util/Logging.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "faultwave/campaign.h"
#include "faultwave/error.h"

#include "src/cli/output.h"
#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"
#include "src/common/near_names.h"
#include "src/common/plain_text.h"
#include "src/workers/interrupted.h"

namespace faultwave::cli {
namespace {

constexpr int kOurBug = 1;
constexpr int kSignalBase = 128;

/// One line, whatever a file or an argument has put into the message.
int say(const std::string& message, int exit_code) {
  constexpr size_t longest = 2000;
  std::cerr << "faultwave: " << shortened(message, longest) << std::endl;
  return exit_code;
}

/// libtorch's own warnings (of deprecated functions, for instance) would stand before the one line that a
/// mistake gets. Who wants to see them sets TORCH_CPP_LOG_LEVEL.
void quieten_libtorch() {
  class Nothing final : public c10::WarningHandler {
   public:
    void process(const c10::Warning&) override {}
  };
  static Nothing nothing;
  if (std::getenv("TORCH_CPP_LOG_LEVEL") != nullptr) return;
  c10::WarningUtils::set_warning_handler(&nothing);  // of this thread; others log:
  constexpr int errors_alone = 2;
  FLAGS_caffe2_log_level = errors_alone;
}

/// The message of an exception that is no user's mistake.
int say_unexpected(const std::exception& error) {
  if (const auto amount = shortage_of_memory(error)) {
    return say("out of memory" + (amount->empty() ? "" : ": " + *amount) +
                   "; try smaller inputs, a smaller batch, fewer workers or a smaller --memory, or a machine "
                   "with more",
               kOurBug);
  }
  return say("internal error, please report it: " + reason_of(error), kOurBug);
}

void set_up(CLI::App& program, const std::vector<AddCommand>& commands) {
  program.name("faultwave");
  program.description(
      "Fault injection for deep neural networks: perturb a running network and see how it takes it.");
  program.set_version_flag(
      "--version", [] { return "faultwave " + program_version() + " (libtorch " + torch_version() + ")"; },
      "Print the versions of Faultwave and libtorch");
  program.set_help_flag("-h,--help", "Print this help");
  program.require_subcommand(1);
  program.failure_message([](const CLI::App*, const CLI::Error& error) { return std::string(error.what()); });
  program.footer(
      "`faultwave COMMAND --help` says more. Exit codes: 0 done, 2 usage, 3 input, 4 network, 5 fault, "
      "6 database\nor file, 7 mismatch, 1 a bug in Faultwave, 128 + n stopped by signal n.");
  for (const AddCommand add : commands)
    add(program);
}

std::vector<std::string> command_names(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// CLI11 throws for help and version too; those are no errors.
int finish_parse(const CLI::App& program, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return program.exit(error);
  if (argc > 1 && argv[1][0] != '-') {
    const std::vector<std::string> names = command_names(program);
    if (std::find(names.begin(), names.end(), argv[1]) == names.end()) {
      // CLI11 itself only says that a subcommand is required.
      return say("there is no subcommand '" + std::string(argv[1]) + "'" + did_you_mean(argv[1], names) +
                     "; see `faultwave --help`",
                 static_cast<int>(ErrorCode::usage));
    }
  }
  const std::string hint = "; see `faultwave --help`";
  return say(error.what() + hint, static_cast<int>(ErrorCode::usage));
}

}  // namespace

int run_program(int argc, char** argv, const std::vector<AddCommand>& commands) {
  quieten_libtorch();
  CLI::App program;
  set_up(program, commands);
  try {
    program.parse(argc, argv);
    flush_standard_output();
    return 0;
  } catch (const CLI::ParseError& error) {
    return finish_parse(program, error, argc, argv);
  } catch (const UserError& error) {
    return say(error.what(), static_cast<int>(error.code()));
  } catch (const Interrupted& stop) {
    return say(stop.what(), kSignalBase + stop.signal());
  } catch (const std::exception& error) {
    return say_unexpected(error);
  }
}

}  // namespace faultwave::cli
