// SPDX-License-Identifier: Apache-2.0
#include "src/cli/run_blocks.h"

#include <iostream>

#include "faultwave/report.h"

#include "src/cli/interrupt.h"
#include "src/cli/program.h"
#include "src/cli/progress_line.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

// What fits a screen; `faultwave stats` shows the rest.
constexpr size_t kLayersShown = 20;

}  // namespace

void run_blocks(const Campaign& campaign, Store& store, bool quiet) {
  const CampaignInfo& info = store.info();
  const InterruptGuard interrupt;
  bool is_done = false;
  {
    ProgressLine line(quiet, info.criteria.at(0), info.confidence);
    is_done = campaign.run(store, interrupt.flag(), [&](const Progress& progress) { line.show(progress); });
  }
  if (!is_done) {
    throw Interrupted(interrupt.signal(), "interrupted; " + grouped(store.trials_done()) + " of " +
                                              grouped(info.trials) + " trials are in '" + store.path() +
                                              "': go on with `faultwave resume " + store.path() + "`");
  }
  std::cout << text_report(summarize(store), kLayersShown);
}

}  // namespace faultwave::cli
