// SPDX-License-Identifier: Apache-2.0
#include "src/store/block_table.h"

#include "faultwave/error.h"

#include "src/store/trial_table.h"

namespace faultwave {

void insert_block(const Database& database, const CampaignInfo& info, const BlockResult& result,
                  int64_t round) {
  const Block& block = result.block;
  if (static_cast<int64_t>(result.outcomes.size()) != block.trials)
    throw InternalError("a block with a wrong number of outcomes");
  Statement insert(database, "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)");
  insert.bind(block.number).bind(round).bind(block.first_trial).bind(block.trials);
  insert.bind(pack_outcomes(result.outcomes, info));
  insert.bind(result.counts.decided_again).bind(result.counts.audited).run();
  insert_trials(database, result.rows);
  Statement golden(database, "INSERT OR IGNORE INTO golden_classes VALUES (?, ?)");
  for (const auto& [input, best] : result.golden_classes)
    golden.bind(input).bind(best).run();
}

}  // namespace faultwave
