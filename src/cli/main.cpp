// SPDX-License-Identifier: Apache-2.0
#include "src/cli/commands.h"
#include "src/cli/output.h"
#include "src/cli/program.h"

int main(int argc, char** argv) {
  using namespace faultwave::cli;
  separate_standard_output();
  return run_program(argc, argv,
                     {add_sites, add_inject, add_perturb, add_run, add_resume, add_stats, add_export,
                      add_replay, add_merge, add_diff, add_plan, add_explain, add_worker});
}
