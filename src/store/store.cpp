// SPDX-License-Identifier: Apache-2.0
#include "faultwave/store.h"

#include <filesystem>
#include <map>
#include <utility>

#include "faultwave/error.h"

#include "src/store/create.h"
#include "src/store/database.h"
#include "src/store/file_lock.h"
#include "src/store/info_table.h"
#include "src/store/schema.h"
#include "src/store/trial_table.h"

namespace faultwave {
namespace {

constexpr OutcomeClass kOutcomes[] = {OutcomeClass::masked, OutcomeClass::benign, OutcomeClass::sdc,
                                      OutcomeClass::due};
constexpr const char* kGoldenRight = "golden_right";
constexpr const char* kFaultyRight = "faulty_right";

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

/// The named counts of a tally, as the table tallies keeps them. `visit` gets each name with a reference to
/// its count.
template <typename AnyTally, typename Visit>
void each_count(AnyTally& tally, const std::vector<std::string>& criteria, Visit visit) {
  for (const OutcomeClass outcome : kOutcomes) {
    visit(std::string(to_string(outcome)), tally.classes[static_cast<size_t>(outcome)]);
  }
  for (size_t i = 0; i < criteria.size(); ++i)
    visit(criteria[i], tally.fired[i]);
  visit(kGoldenRight, tally.golden_right);
  visit(kFaultyRight, tally.faulty_right);
}

void add_to_tallies(const Database& database, const CampaignInfo& info, const std::vector<TrialRow>& rows) {
  std::map<int64_t, Tally> by_site;
  for (const TrialRow& row : rows)
    by_site.try_emplace(row.site, info.criteria.size()).first->second.add(row);
  Statement upsert(database,
                   "INSERT INTO tallies VALUES (?, ?, ?) "
                   "ON CONFLICT (site, outcome) DO UPDATE SET trials = trials + excluded.trials");
  for (const auto& [site, tally] : by_site) {
    each_count(tally, info.criteria, [&](const std::string& name, int64_t count) {
      if (count > 0) upsert.bind(site).bind(name).bind(count).run();
    });
  }
}

}  // namespace

struct Store::State {
  std::string path;
  FileLock lock;  // before the database, so that it is taken first and given back last
  Database database;
  CampaignInfo info;
};

void Tally::add(const TrialRow& row) {
  ++trials;
  ++classes[static_cast<size_t>(row.outcome)];
  for (size_t i = 0; i < fired.size(); ++i)
    fired[i] += (row.fired >> i) & 1;
  if (row.label) {
    golden_right += row.golden_class == row.label;
    faulty_right += row.faulty_class == row.label;
  }
}

Tally& Tally::operator+=(const Tally& other) {
  trials += other.trials;
  for (size_t i = 0; i < classes.size(); ++i)
    classes[i] += other.classes[i];
  for (size_t i = 0; i < fired.size(); ++i)
    fired[i] += other.fired[i];
  golden_right += other.golden_right;
  faulty_right += other.faulty_right;
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
  return Store(std::make_unique<State>(State{path, std::move(lock), std::move(database), std::move(info)}));
}

const std::string& Store::path() const {
  return state_->path;
}
const CampaignInfo& Store::info() const {
  return state_->info;
}

std::vector<Block> Store::open_blocks() const {
  std::vector<Block> blocks;
  Statement select(state_->database,
                   "SELECT block, first_trial, trials FROM blocks WHERE state = 'open' ORDER BY block");
  while (select.step())
    blocks.push_back({select.integer(0), select.integer(1), select.integer(2)});
  return blocks;
}

int64_t Store::trials_done() const {
  return single_integer(state_->database, "SELECT coalesce(sum(trials), 0) FROM blocks WHERE state = 'done'");
}

void Store::write_block(const Block& block, const std::vector<TrialRow>& rows) {
  if (static_cast<int64_t>(rows.size()) != block.trials)
    throw InternalError("a block with a wrong number of rows");
  const Database& database = state_->database;
  Transaction transaction(database);
  Statement update(database,
                   "UPDATE blocks SET state = 'done', outcomes = ? WHERE block = ? AND state = 'open'");
  update.bind(pack_outcomes(rows, state_->info.criteria.size())).bind(block.number).run();
  if (sqlite3_changes(database.handle()) != 1)
    throw InternalError("a block that is done, or unknown, was written");
  insert_trials(database, rows);
  add_to_tallies(database, state_->info, rows);
  transaction.commit();
}

std::vector<Tally> Store::tallies() const {
  std::map<std::pair<int64_t, std::string>, int64_t> counts;
  Statement select(state_->database, "SELECT site, outcome, trials FROM tallies");
  while (select.step())
    counts[{select.integer(0), select.text(1)}] = select.integer(2);

  std::vector<Tally> tallies(state_->info.sites.size(), Tally(state_->info.criteria.size()));
  for (size_t site = 0; site < tallies.size(); ++site) {
    Tally& tally = tallies[site];
    each_count(tally, state_->info.criteria, [&](const std::string& name, int64_t& count) {
      const auto found = counts.find({static_cast<int64_t>(site), name});
      if (found != counts.end()) count = found->second;
    });
    for (const int64_t count : tally.classes)
      tally.trials += count;
  }
  return tallies;
}

void Store::each_trial(const std::function<void(const TrialRow&)>& visit) const {
  visit_trials(state_->database, visit);
}

std::optional<TrialRow> Store::trial(int64_t number) const {
  return find_trial(state_->database, number);
}

std::vector<uint8_t> Store::packed_outcomes(int64_t block) const {
  Statement select(state_->database, "SELECT outcomes FROM blocks WHERE block = ?");
  select.bind(block);
  return select.step() ? select.blob(0) : std::vector<uint8_t>();
}

}  // namespace faultwave
