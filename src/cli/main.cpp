// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "src/cli/commands.h"
#include "src/cli/program.h"

namespace {

/// Every operator allocates tensors of megabytes and soon frees them. By default glibc returns each to the
/// system at once, and more than half of a campaign's time goes into page faults; kept for reuse, they cost
/// no more than the peak.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int one_gibibyte = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, one_gibibyte);
  mallopt(M_TRIM_THRESHOLD, one_gibibyte);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using namespace faultwave::cli;
  keep_freed_memory();
  return run_program(argc, argv,
                     {add_sites, add_inject, add_perturb, add_run, add_resume, add_stats, add_export,
                      add_replay, add_merge, add_diff, add_plan, add_worker});
}
