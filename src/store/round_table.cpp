// SPDX-License-Identifier: Apache-2.0
// Shares are kept as a JSON array, which SQLite's json_each reads.
#include "src/store/round_table.h"

#include <algorithm>
#include <string>
#include <utility>

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
    Round round{select.integer(0), select.integer(1), select.integer(2), {}};
    const auto shares = nlohmann::json::parse(select.text(3), nullptr, /*allow_exceptions=*/false);
    const auto is_share = [](const nlohmann::json& share) { return share.is_number_unsigned(); };
    if (!shares.is_array() || !std::all_of(shares.begin(), shares.end(), is_share))
      database.damaged("the shares of round " + std::to_string(round.number) + " are no list of numbers");
    for (const nlohmann::json& share : shares)
      round.shares.push_back(share.get<uint64_t>());
    rounds.push_back(std::move(round));
  }
  return rounds;
}

}  // namespace faultwave
