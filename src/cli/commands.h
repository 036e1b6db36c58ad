// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

/// Each adds one subcommand, in a source of its own. A subcommand sets its options up, and in its callback
/// does its work: it prints results to standard output, throws UserError for what the user did wrong, and
/// never exits. To add one: a source, a line here, a line in main.cpp, an approved help text in
/// tests/cli/approved.
namespace faultwave::cli {

void add_sites(CLI::App& program);
void add_inject(CLI::App& program);
void add_perturb(CLI::App& program);
void add_run(CLI::App& program);
void add_resume(CLI::App& program);
void add_stats(CLI::App& program);
void add_export(CLI::App& program);
void add_replay(CLI::App& program);
void add_merge(CLI::App& program);
void add_diff(CLI::App& program);
void add_plan(CLI::App& program);
void add_explain(CLI::App& program);
void add_worker(CLI::App& program);

}  // namespace faultwave::cli
