// SPDX-License-Identifier: Apache-2.0
// Campaigns of many small blocks and rounds, and what must not depend on how they are run.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/campaign.h"
#include "faultwave/report.h"

#include "tests/campaign/fake_engine.h"
#include "tests/support/temp_folder.h"

namespace faultwave {

inline const CancelCheck never;

inline Specification small_blocks(DrawRule rule, int64_t trials, uint64_t seed = 1) {
  Specification spec = fake_specification();
  spec.draw = rule;
  spec.trials = trials;
  spec.seed = seed;
  spec.block = 64;
  spec.batch = 64;
  spec.round = 128;
  spec.criteria = {"top1"};
  return spec;
}

/// The export, and the rates by everything that takes a walk over the trials.
inline std::string text_of(const Store& store) {
  std::ostringstream text;
  write_csv(store, text);
  for (const GroupBy by : {GroupBy::layer, GroupBy::bit, GroupBy::channel, GroupBy::input})
    text << json_report(summarize(store, by));
  return text.str();
}

/// Runs a campaign as it comes, and with the blocks of each round elsewhere and last first.
inline void check_same_out_of_order(const Campaign& campaign, const Specification& spec) {
  const TempFolder folder;
  Store here = Store::create(folder / "a.db", campaign.info(spec, ""));
  REQUIRE(campaign.run(here, never, {}));
  const BlockRunner backwards = [&](const Round& round, const std::vector<Block>& blocks,
                                    const std::function<void(const BlockResult&)>& done) {
    for (size_t i = blocks.size(); i-- > 0;)
      done(campaign.run_block(round, blocks[i], never, {}).value());
    return true;
  };
  Store there = Store::create(folder / "b.db", campaign.info(spec, ""));
  REQUIRE(campaign.run(there, never, {}, backwards));
  CHECK(text_of(there) == text_of(here));
}

}  // namespace faultwave
