// SPDX-License-Identifier: Apache-2.0
#include "faultwave/store.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "faultwave/error.h"

#include "src/store/block_table.h"
#include "src/store/cell_table.h"
#include "src/store/check_campaign.h"
#include "src/store/create.h"
#include "src/store/database.h"
#include "src/store/file_lock.h"
#include "src/store/info_table.h"
#include "src/store/neuron_table.h"
#include "src/store/round_table.h"
#include "src/store/schema.h"
#include "src/store/trial_table.h"

namespace faultwave {
namespace {

int64_t single_integer(const Database& database, const char* sql) {
  Statement select(database, sql);
  const int64_t value = select.step() ? select.integer(0) : 0;
  return value;
}

void check_is_campaign(const Database& database, const std::string& path) {
  if (single_integer(database, "PRAGMA application_id") != kApplicationId) {
    throw UserError(
        ErrorCode::store,
        "'" + path + "' is empty or an SQLite database of something else, not a campaign of Faultwave");
  }
  const int64_t version = single_integer(database, "PRAGMA user_version");
  if (version != kSchemaVersion) {
    throw UserError(ErrorCode::store, "'" + path + "' has tables of version " + std::to_string(version) +
                                          ", and this program reads version " +
                                          std::to_string(kSchemaVersion) +
                                          ": use the Faultwave that wrote it");
  }
}

void check_intact(const Database& database, const std::string& path) {
  Statement check(database, "PRAGMA quick_check(1)");
  const std::string answer = check.step() ? check.text(0) : "no answer";
  if (answer != "ok") throw UserError(ErrorCode::store, "'" + path + "' is damaged: " + answer);
}

}  // namespace

struct Store::State {
  std::string path;
  FileLock lock;  // before the database, so that it is taken first and given back last
  Database database;
  CampaignInfo info;
};

void Tally::add(const TrialOutcome& outcome) {
  ++trials;
  ++classes[static_cast<size_t>(outcome.outcome)];
  for (size_t i = 0; i < fired.size(); ++i)
    fired[i] += (outcome.fired >> i) & 1;
  right_lost += outcome.golden_right && !outcome.faulty_right;
  right_won += outcome.faulty_right && !outcome.golden_right;
}

bool names_criteria(const CampaignInfo& info) {
  const std::string& text = info.specification_file;
  const std::string top_level = text.substr(0, text.find("\n["));
  return ("\n" + top_level).find("\ncriteria = ") != std::string::npos;
}

int64_t campaign_blocks(const CampaignInfo& info) {
  return (info.trials + info.block - 1) / info.block;
}

TrialRange shard_trials(const CampaignInfo& info) {
  const int64_t blocks = campaign_blocks(info);
  return {.first = std::min(info.shard.first_block(blocks) * info.block, info.trials),
          .end = std::min(info.shard.end_block(blocks) * info.block, info.trials)};
}

Tally& Tally::operator+=(const Tally& other) {
  trials += other.trials;
  for (size_t i = 0; i < classes.size(); ++i)
    classes[i] += other.classes[i];
  for (size_t i = 0; i < fired.size(); ++i)
    fired[i] += other.fired[i];
  right_lost += other.right_lost;
  right_won += other.right_won;
  return *this;
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

void Store::check_new(const std::string& path) {
  check_can_create(path);
}

Store Store::create(const std::string& path, const CampaignInfo& info) {
  create_database(path, info);
  return open(path, Access::write);
}

Store Store::in_memory(const CampaignInfo& info) {
  const std::string name = ":memory:";
  Database database(name, Database::Mode::create, "the campaign in memory");
  fill_database(database, info);
  CampaignInfo known = read_info(database, name);
  return Store(std::make_unique<State>(State{name, FileLock(), std::move(database), std::move(known)}));
}

Store Store::open(const std::string& path, Access access) {
  if (!std::filesystem::exists(path))
    throw UserError(ErrorCode::store, "there is no database '" + path + "'");
  if (std::filesystem::is_directory(path))
    throw UserError(ErrorCode::store, "'" + path + "' is a folder, not a database");
  const bool write = access == Access::write;
  FileLock lock = write ? FileLock(path) : FileLock();
  Database database(path, write ? Database::Mode::write : Database::Mode::read);
  check_is_campaign(database, path);
  if (write) check_intact(database, path);
  CampaignInfo info = read_info(database, path);
  check_campaign(database, info, path);
  return Store(std::make_unique<State>(State{path, std::move(lock), std::move(database), std::move(info)}));
}

const std::string& Store::path() const {
  return state_->path;
}
const CampaignInfo& Store::info() const {
  return state_->info;
}

std::vector<Round> Store::rounds() const {
  return read_rounds(state_->database);
}

void Store::begin_round(const Round& round) {
  state_->lock.check_in_place(state_->path);
  Transaction transaction(state_->database);
  insert_round(state_->database, round);
  transaction.commit();
}

std::string Store::ended() const {
  Statement select(state_->database, "SELECT value FROM campaign WHERE key = 'ended'");
  return select.step() ? select.text(0) : "";
}

void Store::end(const std::string& reason) {
  state_->lock.check_in_place(state_->path);
  Transaction transaction(state_->database);
  write_ended(state_->database, reason);
  transaction.commit();
}

std::vector<Block> Store::open_blocks(const Round& round) const {
  std::set<int64_t> done;
  std::map<int64_t, std::vector<bool>> begun;
  Statement select(state_->database, "SELECT block, done = trials, outcomes FROM blocks WHERE round = ?");
  select.bind(round.number);
  while (select.step()) {
    if (select.integer(1) != 0) {
      done.insert(select.integer(0));
      continue;
    }
    for (const TrialOutcome& outcome : unpack_outcomes(select.blob(2), state_->info))
      begun[select.integer(0)].push_back(outcome.is_done);
  }

  std::vector<Block> blocks;
  const int64_t size = state_->info.block;
  const TrialRange shard = shard_trials(state_->info);
  const int64_t end = round.first_trial + round.trials;
  for (int64_t first = round.first_trial; first < end; first += size) {
    const int64_t number = first / size;
    if (shard.has(first) && done.count(number) == 0)
      blocks.push_back({number, first, std::min(size, end - first), begun[number]});
  }
  return blocks;
}

int64_t Store::trials_done() const {
  return single_integer(state_->database, "SELECT coalesce(sum(done), 0) FROM blocks");
}

void Store::write_block(const BlockResult& result, int64_t round) {
  state_->lock.check_in_place(state_->path);
  Transaction transaction(state_->database);
  faultwave::write_block(state_->database, state_->info, result, round);
  add_to_cells(state_->database, state_->info, round, result.outcomes);
  transaction.commit();
}

std::vector<CellTally> Store::cells() const {
  return read_cells(state_->database, state_->info);
}

std::vector<Tally> Store::tallies() const {
  std::vector<Tally> tallies(state_->info.sites.size(), Tally(state_->info.criteria.size()));
  for (const CellTally& cell : cells())
    tallies.at(static_cast<size_t>(cell.site)) += cell.tally;
  return tallies;
}

std::vector<TrialRow> Store::rows(int64_t first_trial, int64_t trials) const {
  std::vector<TrialRow> rows = find_trials(state_->database, first_trial, trials);
  for (const TrialRow& row : rows)
    check_row(row, state_->info, state_->path);
  return rows;
}

std::optional<TrialRow> Store::row(int64_t trial) const {
  std::optional<TrialRow> row = find_trial(state_->database, trial);
  if (row) check_row(*row, state_->info, state_->path);
  return row;
}

std::map<int64_t, int64_t> Store::golden_classes() const {
  std::map<int64_t, int64_t> classes;
  Statement select(state_->database, "SELECT input, class FROM golden_classes");
  while (select.step())
    classes[select.integer(0)] = select.integer(1);
  return classes;
}

void Store::each_block(
    const std::function<void(const Block&, int64_t, const std::vector<TrialOutcome>&)>& visit) const {
  Statement select(state_->database,
                   "SELECT block, first_trial, trials, round, outcomes FROM blocks ORDER BY block");
  while (select.step()) {
    visit({select.integer(0), select.integer(1), select.integer(2), {}}, select.integer(3),
          unpack_outcomes(select.blob(4), state_->info));
  }
}

EngineCounts Store::engine_counts() const {
  Statement select(state_->database,
                   "SELECT coalesce(sum(decided_again), 0), coalesce(sum(audited), 0) FROM blocks");
  select.step();
  return {select.integer(0), select.integer(1)};
}

std::shared_ptr<const NeuronClasses> Store::neuron_classes() const {
  return read_neuron_classes(state_->database, state_->info, state_->path);
}

EngineCounts Store::engine_counts(int64_t block) const {
  Statement select(state_->database, "SELECT decided_again, audited FROM blocks WHERE block = ?");
  select.bind(block);
  if (!select.step()) return {};
  return {select.integer(0), select.integer(1)};
}

EngineCounts& EngineCounts::operator+=(const EngineCounts& other) {
  decided_again += other.decided_again;
  audited += other.audited;
  return *this;
}

std::vector<uint8_t> Store::packed_outcomes(int64_t block) const {
  Statement select(state_->database, "SELECT outcomes FROM blocks WHERE block = ?");
  select.bind(block);
  return select.step() ? select.blob(0) : std::vector<uint8_t>();
}

}  // namespace faultwave
