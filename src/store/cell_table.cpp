// SPDX-License-Identifier: Apache-2.0
#include "src/store/cell_table.h"

#include <array>
#include <map>
#include <string>
#include <utility>

namespace faultwave {
namespace {

/// The named counts of a tally, as the table keeps them. `visit` gets each name with a reference to its
/// count.
template <typename AnyTally, typename Visit>
void each_count(AnyTally& tally, const std::vector<std::string>& criteria, Visit visit) {
  for (const OutcomeClass outcome : kOutcomeClasses)
    visit(std::string(to_string(outcome)), tally.classes[static_cast<size_t>(outcome)]);
  for (size_t i = 0; i < criteria.size(); ++i)
    visit(criteria[i], tally.fired[i]);
  visit("right_lost", tally.right_lost);
  visit("right_won", tally.right_won);
}

void add_count(Tally& tally, const std::vector<std::string>& criteria, const std::string& name,
               int64_t count) {
  each_count(tally, criteria, [&](const std::string& known, int64_t& place) {
    if (known == name) place = count;
  });
}

}  // namespace

void add_to_cells(const Database& database, const CampaignInfo& info, int64_t round,
                  const std::vector<TrialOutcome>& outcomes) {
  std::map<std::array<int32_t, 3>, Tally> tallies;
  for (const TrialOutcome& outcome : outcomes) {
    if (!outcome.is_done) continue;
    tallies.try_emplace({outcome.stratum, outcome.site, outcome.choice}, info.criteria.size())
        .first->second.add(outcome);
  }
  std::vector<CellTally> cells;
  for (const auto& [place, tally] : tallies)
    cells.push_back({round, place[0], place[1], place[2], tally});
  add_cells(database, info, cells);
}

void add_cells(const Database& database, const CampaignInfo& info, const std::vector<CellTally>& cells) {
  Statement upsert(database,
                   "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?) "
                   "ON CONFLICT (round, stratum, site, choice, outcome) "
                   "DO UPDATE SET trials = trials + excluded.trials");
  for (const CellTally& cell : cells) {
    each_count(cell.tally, info.criteria, [&](const std::string& name, int64_t count) {
      if (count == 0) return;
      upsert.bind(cell.round).bind(cell.stratum).bind(cell.site).bind(cell.choice);
      upsert.bind(name).bind(count).run();
    });
  }
}

std::vector<CellTally> read_cells(const Database& database, const CampaignInfo& info) {
  std::vector<CellTally> cells;
  Statement select(database,
                   "SELECT round, stratum, site, choice, outcome, trials FROM cells "
                   "ORDER BY round, stratum, site, choice");
  while (select.step()) {
    const int64_t round = select.integer(0);
    const int64_t stratum = select.integer(1);
    const int64_t site = select.integer(2);
    const int64_t choice = select.integer(3);
    const bool is_new = cells.empty() || cells.back().round != round || cells.back().stratum != stratum ||
                        cells.back().site != site || cells.back().choice != choice;
    if (is_new) cells.push_back({round, stratum, site, choice, Tally(info.criteria.size())});
    add_count(cells.back().tally, info.criteria, select.text(4), select.integer(5));
  }
  for (CellTally& cell : cells) {
    for (const int64_t count : cell.tally.classes)
      cell.tally.trials += count;
  }
  return cells;
}

}  // namespace faultwave
