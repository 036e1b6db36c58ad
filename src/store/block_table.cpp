// SPDX-License-Identifier: Apache-2.0
#include "src/store/block_table.h"

#include <algorithm>

#include "faultwave/error.h"

#include "src/store/trial_table.h"

namespace faultwave {
namespace {

/// What is recorded of a block; nothing done where there is no row.
std::vector<TrialOutcome> recorded_outcomes(const Database& database, const CampaignInfo& info,
                                            const Block& block) {
  Statement select(database, "SELECT outcomes FROM blocks WHERE block = ?");
  select.bind(block.number);
  if (select.step()) return unpack_outcomes(select.blob(0), info);
  return std::vector<TrialOutcome>(static_cast<size_t>(block.trials), TrialOutcome{.is_done = false});
}

}  // namespace

void write_block(const Database& database, const CampaignInfo& info, const BlockResult& result,
                 int64_t round) {
  const Block& block = result.block;
  std::vector<TrialOutcome> outcomes = recorded_outcomes(database, info, block);
  if (result.outcomes.size() != outcomes.size() || static_cast<int64_t>(outcomes.size()) != block.trials)
    throw InternalError("a block with a wrong number of outcomes");
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (!result.outcomes[i].is_done) continue;
    if (outcomes[i].is_done) throw InternalError("a trial that is recorded twice");
    outcomes[i] = result.outcomes[i];
  }
  const auto done = std::count_if(outcomes.begin(), outcomes.end(),
                                  [](const TrialOutcome& trial) { return trial.is_done; });
  Statement upsert(database,
                   "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (block) DO UPDATE SET "
                   "done = excluded.done, outcomes = excluded.outcomes, "
                   "decided_again = decided_again + excluded.decided_again, "
                   "audited = audited + excluded.audited");
  upsert.bind(block.number).bind(round).bind(block.first_trial).bind(block.trials).bind(int64_t{done});
  upsert.bind(pack_outcomes(outcomes, info));
  upsert.bind(result.counts.decided_again).bind(result.counts.audited).run();
  insert_trials(database, result.rows);
  Statement golden(database, "INSERT OR IGNORE INTO golden_classes VALUES (?, ?)");
  for (const auto& [input, best] : result.golden_classes)
    golden.bind(input).bind(best).run();
}

}  // namespace faultwave
