// SPDX-License-Identifier: Apache-2.0
// Shares are kept as a JSON array, which SQLite's json_each reads.
#include "src/store/round_table.h"

#include <nlohmann/json.hpp>

namespace faultwave {

void insert_round(const Database& database, const Round& round) {
  Statement insert(database, "INSERT INTO rounds VALUES (?, ?, ?, ?)");
  insert.bind(round.number).bind(round.first_trial).bind(round.trials);
  insert.bind(nlohmann::json(round.shares).dump()).run();
}

std::vector<Round> read_rounds(const Database& database) {
  std::vector<Round> rounds;
  Statement select(database, "SELECT round, first_trial, trials, shares FROM rounds ORDER BY round");
  while (select.step()) {
    rounds.push_back({select.integer(0), select.integer(1), select.integer(2),
                      nlohmann::json::parse(select.text(3)).get<std::vector<uint64_t>>()});
  }
  return rounds;
}

}  // namespace faultwave
