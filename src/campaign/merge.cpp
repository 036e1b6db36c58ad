// SPDX-License-Identifier: Apache-2.0
#include "faultwave/merge.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "faultwave/campaign.h"
#include "faultwave/error.h"

#include "src/store/block_table.h"
#include "src/store/cell_table.h"
#include "src/store/create.h"
#include "src/store/database.h"
#include "src/store/info_table.h"
#include "src/store/round_table.h"

namespace faultwave {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& path) {
  return "'" + path + "'";
}

UserError cannot_merge(const Store& store, ErrorCode code, const std::string& why) {
  return UserError(code, "cannot merge " + quoted(store.path()) + ": " + why);
}

UserError cannot_merge(const Store& store, const Store& first, const std::string& why) {
  return UserError(ErrorCode::mismatch,
                   "cannot merge " + quoted(store.path()) + " with " + quoted(first.path()) + ": " + why);
}

void check_fingerprint(const Store& store, const Store& first, std::string CampaignInfo::* fingerprint,
                       const std::string& what) {
  const auto digits = [&](const Store& of) {
    const std::string& text = of.info().*fingerprint;
    return text.empty() ? "none" : text.substr(0, 12) + "...";
  };
  if (store.info().*fingerprint == first.info().*fingerprint) return;
  throw cannot_merge(
      store, first,
      "they ran with different " + what + " (SHA-256 " + digits(store) + " and " + digits(first) + ")");
}

/// Where the specification lies may differ, and so may the shard; all else must be equal.
void check_one_campaign(const Store& store, const Store& first) {
  check_fingerprint(store, first, &CampaignInfo::model_fingerprint, "networks");
  check_fingerprint(store, first, &CampaignInfo::inputs_fingerprint, "inputs");
  check_fingerprint(store, first, &CampaignInfo::labels_fingerprint, "labels");
  try {
    check_same_campaign(first.info(), store.info(), first.path());
  } catch (const UserError& error) {
    throw cannot_merge(store, error.code(), error.what());
  }
}

void check_shard(const Store& store, const Store& first) {
  const Shard& shard = store.info().shard;
  if (shard.is_whole()) {
    throw cannot_merge(store, ErrorCode::usage,
                       "it is no shard, but for all of its campaign; `faultwave run --shard` makes shards");
  }
  if (shard.of != first.info().shard.of) {
    throw cannot_merge(store, first,
                       "the campaign was split differently, as one is shard " + to_string(shard) +
                           " and the other " + to_string(first.info().shard));
  }
  const int64_t trials = shard_trials(store.info()).size();
  if (store.ended().empty()) {
    throw cannot_merge(store, ErrorCode::usage,
                       "it has " + std::to_string(store.trials_done()) + " of " + std::to_string(trials) +
                           " trials; go on with `faultwave resume " + store.path() + "` first");
  }
}

/// That each shard is there once. They come in the order of their numbers.
void check_complete(const std::vector<Store>& stores) {
  const int64_t shards = stores.front().info().shard.of;
  std::string missing;
  int64_t expected = 1;
  for (size_t i = 0; i < stores.size(); ++i) {
    const Shard& shard = stores[i].info().shard;
    if (shard.number < expected) {
      throw cannot_merge(stores[i], ErrorCode::usage,
                         "it has the same trials as " + quoted(stores[i - 1].path()) + ", both are shard " +
                             to_string(shard));
    }
    if (shard.number > expected && missing.empty()) missing = to_string(Shard{expected, shards});
    expected = shard.number + 1;
  }
  if (expected <= shards && missing.empty()) missing = to_string(Shard{expected, shards});
  if (missing.empty()) return;
  const int64_t others = shards - static_cast<int64_t>(stores.size()) - 1;
  throw UserError(ErrorCode::usage,
                  "cannot merge: shard " + missing + " is missing" +
                      (others > 0 ? ", and so are " + std::to_string(others) + " others" : ""));
}

/// Opens all shards of a campaign, in the order of their numbers.
std::vector<Store> open_shards(const std::vector<std::string>& databases) {
  std::vector<Store> stores;
  for (const std::string& path : databases)
    stores.push_back(Store::open(path, Store::Access::read));
  if (stores.empty()) throw UserError(ErrorCode::usage, "there is nothing to merge: name the shards");
  for (const Store& store : stores) {
    check_one_campaign(store, stores.front());
    check_shard(store, stores.front());
  }
  std::stable_sort(stores.begin(), stores.end(), [](const Store& a, const Store& b) {
    return a.info().shard.number < b.info().shard.number;
  });
  check_complete(stores);
  return stores;
}

/// Of the whole campaign. Where the specification of one shard still lies where it was, that one is named, so
/// that `replay` finds it.
CampaignInfo merged_info(const std::vector<Store>& stores) {
  CampaignInfo info = stores.front().info();
  for (const Store& store : stores) {
    std::error_code ignored;
    if (!fs::exists(store.info().specification_path, ignored)) continue;
    info.specification_path = store.info().specification_path;
    break;
  }
  info.shard = {};
  return info;
}

/// Thrown from within the transaction, so that nothing is left.
struct Cancelled {};

void copy_blocks(const Store& store, const Database& output, const CancelCheck& cancel) {
  store.each_block([&](const Block& block, int64_t round, const std::vector<TrialOutcome>& outcomes) {
    if (cancel && cancel()) throw Cancelled();
    write_block(output, store.info(),
                {.block = block,
                 .outcomes = outcomes,
                 .rows = store.rows(block.first_trial, block.trials),
                 .golden_classes = {},
                 .counts = store.engine_counts(block.number)},
                round);
  });
  add_cells(output, store.info(), store.cells());
}

/// Shards ran on machines of their own, and these may compute differently: seen where an input's golden class
/// is not the same on two of them.
void insert_golden_classes(const std::vector<Store>& stores, const Database& output) {
  std::map<int64_t, std::pair<int64_t, const Store*>> known;
  Statement insert(output, "INSERT INTO golden_classes VALUES (?, ?)");
  for (const Store& store : stores) {
    for (const auto& [input, best] : store.golden_classes()) {
      const auto [place, is_new] = known.try_emplace(input, best, &store);
      if (is_new) insert.bind(input).bind(best).run();
      const auto& [first_best, first] = place->second;
      if (first_best == best) continue;
      throw cannot_merge(store, *first,
                         "input " + std::to_string(input) + " has the golden class " + std::to_string(best) +
                             " in one and " + std::to_string(first_best) +
                             " in the other, so their machines do not compute alike");
    }
  }
}

}  // namespace

bool merge_campaigns(const std::vector<std::string>& databases, const std::string& output,
                     const CancelCheck& cancel) {
  Store::check_new(output);
  const std::vector<Store> stores = open_shards(databases);
  try {
    create_database(output, merged_info(stores), [&](const Database& database) {
      for (const Round& round : stores.front().rounds())
        insert_round(database, round);
      for (const Store& store : stores)
        copy_blocks(store, database, cancel);
      insert_golden_classes(stores, database);
      write_ended(database, "trials");
    });
  } catch (const Cancelled&) {
    return false;
  }
  return true;
}

}  // namespace faultwave
