// SPDX-License-Identifier: Apache-2.0
#include "src/store/check_campaign.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/population.h"

#include "src/common/torch_names.h"
#include "src/store/round_table.h"

namespace faultwave {
namespace {

constexpr int64_t kMostTrials = int64_t{1} << 53;
constexpr int64_t kMostBits = 128;  // of one value
constexpr size_t kMostAxes = 64;
constexpr size_t kMostCriteria = 30;

/// "'a.db' is damaged: " and what does not hold.
class Check {
 public:
  explicit Check(const std::string& path) : path_(path) {}

  void that(bool holds, const std::string& otherwise) const {
    if (!holds) throw UserError(ErrorCode::store, "'" + path_ + "' is damaged: " + otherwise);
  }

 private:
  const std::string& path_;
};

bool lies_in(int64_t number, int64_t first, int64_t end) {
  return number >= first && number < end;
}

template <typename Items>
int64_t count(const Items& items) {
  return static_cast<int64_t>(items.size());
}

void check_numbers(const Check& check, const CampaignInfo& info) {
  check.that(lies_in(info.trials, 1, kMostTrials), "it is for " + std::to_string(info.trials) + " trials");
  check.that(info.block >= 1, "its blocks have " + std::to_string(info.block) + " trials");
  check.that(info.inputs >= 1, "it has " + std::to_string(info.inputs) + " inputs");
  check.that(info.confidence > 0 && info.confidence < 1, "its confidence does not lie between 0 and 1");
  check.that(info.shard.is_whole() || info.shard.of <= campaign_blocks(info),
             "it has more shards than blocks");
  check.that(!info.criteria.empty() && info.criteria.size() <= kMostCriteria,
             "it has no criteria, or too many");
  const std::set<std::string> names(info.criteria.begin(), info.criteria.end());
  check.that(names.size() == info.criteria.size() && names.count("") == 0,
             "criteria have no names of their own");
  for (const int64_t input : info.eligible_inputs)
    check.that(lies_in(input, 0, info.inputs), "an input that it draws from does not exist");
}

/// Values of one batch element; -1 where the shape is none.
int64_t values_of(const std::vector<int64_t>& shape) {
  int64_t values = 1;
  for (const int64_t size : shape) {
    if (size < 1 || __builtin_mul_overflow(values, size, &values)) return -1;
  }
  return values;
}

void check_site(const Check& check, const StoredSite& site) {
  const std::string name = "its site '" + site.name + "' ";
  check.that(dtype_named(site.dtype) != at::ScalarType::Undefined, name + "has no type");
  check.that(site.shape.size() <= kMostAxes && values_of(site.shape) == site.values,
             name + "has a shape that does not fit its number of values");
  check.that(lies_in(site.bits, 1, kMostBits + 1),
             name + "has values of " + std::to_string(site.bits) + " bits");
  check.that(
      lies_in(site.channel_axis, -1, count(site.shape)),
      name + "counts feature maps on axis " + std::to_string(site.channel_axis) + ", which it has not");
  check.that(site.probability >= 0 && site.probability <= 1, name + "has no probability");
}

void check_stratum(const Check& check, const StoredStratum& stratum, const CampaignInfo& info) {
  const std::string name = "its stratum '" + stratum.name + "' ";
  check.that(lies_in(stratum.site, 0, count(info.sites)), name + "belongs to no site");
  check.that(stratum.choices >= 1 && stratum.choices <= count(info.choices) &&
                 lies_in(stratum.first_choice, 0, count(info.choices) - stratum.choices + 1),
             name + "holds choices that the error model has not");
  check.that(stratum.weight >= 0 && stratum.weight <= 1, name + "has no weight");
  check.that(stratum.kind >= 0, name + "is of no kind");
  check.that(lies_in(stratum.neuron_classes, 0, int64_t{NeuronClasses::kAll} + 1) &&
                 lies_in(stratum.first_level, 0, INT32_MAX / 2) && lies_in(stratum.levels, 1, INT32_MAX / 2),
             name + "holds classes of neurons or levels that there are not");
}

void check_population(const Check& check, const CampaignInfo& info) {
  check.that(!info.sites.empty(), "it has no sites");
  for (const StoredSite& site : info.sites)
    check_site(check, site);
  for (const StoredStratum& stratum : info.strata)
    check_stratum(check, stratum, info);
  const std::string stratified(to_string(DrawRule::stratified));
  check.that((info.draw == stratified) == !info.strata.empty(), "its strata do not fit how it draws");
  const bool is_list = info.draw == to_string(DrawRule::list);
  const int64_t inputs = info.eligible_inputs.empty() ? info.inputs : count(info.eligible_inputs);
  // Each line on each input.
  check.that(is_list == !info.list.empty() && (!is_list || (info.trials - 1) / inputs < count(info.list)),
             "its list of faults does not fit its trials");
}

void check_shares(const Check& check, const Round& round, const CampaignInfo& info) {
  const std::string name = "the shares of round " + std::to_string(round.number) + " ";
  check.that(round.shares.size() == info.strata.size(), name + "do not fit its strata");
  constexpr uint64_t most = uint64_t{1} << 33;  // units are of 2^-32, rounded, one at least for a stratum
  uint64_t before = 0;
  for (const uint64_t end : round.shares) {
    check.that(end > before && end <= most, name + "do not rise from stratum to stratum");
    before = end;
  }
}

void check_rounds(const Check& check, const std::vector<Round>& rounds, const CampaignInfo& info) {
  int64_t first = 0;
  for (size_t i = 0; i < rounds.size(); ++i) {
    const Round& round = rounds[i];
    const std::string name = "round " + std::to_string(round.number) + " ";
    check.that(round.number == static_cast<int64_t>(i), "round " + std::to_string(i) + " is missing");
    check.that(round.first_trial == first && first % info.block == 0,
               name + "begins at another trial than it must");
    check.that(round.trials >= 1 && round.trials <= info.trials - first,
               name + "has trials that the campaign has not");
    first += round.trials;
    check_shares(check, round, info);
  }
}

int64_t bytes_per_trial(const CampaignInfo& info) {
  return count(pack_outcomes({TrialOutcome{}}, info));
}

/// How many trials of a block are done that is done in part.
int64_t count_done(const Database& database, int64_t block, const CampaignInfo& info) {
  Statement select(database, "SELECT outcomes FROM blocks WHERE block = ?");
  select.bind(block).step();
  const std::vector<TrialOutcome> outcomes = unpack_outcomes(select.blob(0), info);
  return std::count_if(outcomes.begin(), outcomes.end(),
                       [](const TrialOutcome& outcome) { return outcome.is_done; });
}

/// Returns how many trials of each round are done.
std::vector<int64_t> check_blocks(const Check& check, const Database& database,
                                  const std::vector<Round>& rounds, const CampaignInfo& info) {
  const TrialRange shard = shard_trials(info);
  const int64_t width = bytes_per_trial(info);
  std::vector<int64_t> done(rounds.size());
  Statement select(database,
                   "SELECT block, round, first_trial, trials, done, length(outcomes), decided_again, audited "
                   "FROM blocks ORDER BY block");
  while (select.step()) {
    const int64_t number = select.integer(0);
    const int64_t first = select.integer(2);
    const int64_t trials = select.integer(3);
    const std::string name = "block " + std::to_string(number) + " ";
    check.that(lies_in(select.integer(1), 0, count(rounds)), name + "belongs to no round");
    const Round& round = rounds[static_cast<size_t>(select.integer(1))];
    const int64_t end = round.first_trial + round.trials;
    const bool is_right = lies_in(number, 0, campaign_blocks(info)) && first == number * info.block &&
                          lies_in(first, round.first_trial, end) && shard.has(first) &&
                          trials == std::min(info.block, end - first);
    check.that(is_right, name + "has other trials than it must");
    check.that(select.integer(5) == trials * width, name + "has too few or too many outcomes");
    const int64_t finished = select.integer(4);
    check.that(finished == trials ||
                   (lies_in(finished, 0, trials) && finished == count_done(database, number, info)),
               name + "has another number of finished trials than it says");
    check.that(lies_in(select.integer(6), 0, finished + 1) && lies_in(select.integer(7), 0, finished + 1),
               name + "has counts that do not fit its trials");
    done[static_cast<size_t>(round.number)] += finished;
  }
  return done;
}

/// Counts of trials, by outcome, add up to those of the blocks; others are no more.
void check_cells(const Check& check, const Database& database, const std::vector<int64_t>& done,
                 const CampaignInfo& info) {
  std::set<std::string> outcomes;
  for (const OutcomeClass outcome : kOutcomeClasses)
    outcomes.emplace(to_string(outcome));
  std::vector<int64_t> trials(done.size());
  Statement select(database, "SELECT round, stratum, site, choice, outcome, trials FROM cells");
  while (select.step()) {
    const int64_t round = select.integer(0);
    const bool has_place = lies_in(round, 0, count(done)) &&
                           lies_in(select.integer(1), 0, std::max<int64_t>(count(info.strata), 1)) &&
                           lies_in(select.integer(2), 0, count(info.sites)) &&
                           lies_in(select.integer(3), 0, std::max<int64_t>(count(info.choices), 1));
    check.that(has_place, "it counts trials at a place that it has not");
    const int64_t number = select.integer(5);
    check.that(lies_in(number, 0, done[static_cast<size_t>(round)] + 1),
               "it counts more trials than were run");
    if (outcomes.count(select.text(4)) > 0) trials[static_cast<size_t>(round)] += number;
  }
  check.that(trials == done, "its counts do not add up to its trials");
}

void check_others(const Check& check, const Database& database, const CampaignInfo& info) {
  Statement golden(database,
                   "SELECT count(*) FROM golden_classes WHERE input < 0 OR input >= ? OR class < -1");
  golden.bind(info.inputs).step();
  check.that(golden.integer(0) == 0, "it has golden classes of inputs that it has not");
  Statement labels(database, "SELECT count(*), coalesce(sum(input < 0 OR input >= ?), 0) FROM labels");
  labels.bind(info.inputs).step();
  check.that(labels.integer(0) == 0 || (labels.integer(0) == info.inputs && labels.integer(1) == 0),
             "it has other labels than one an input");
  Statement rows(
      database,
      "SELECT count(*) FROM trials WHERE trial < 0 OR NOT EXISTS (SELECT 1 FROM blocks WHERE block = "
      "trials.trial / ?)");
  rows.bind(info.block).step();
  check.that(rows.integer(0) == 0, "it has rows of trials that were not run");
}

/// One state of the file, while another process writes.
class ReadTransaction {
 public:
  explicit ReadTransaction(const Database& database) : database_(database) { database_.execute("BEGIN"); }
  ~ReadTransaction() { sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr); }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  const Database& database_;
};

}  // namespace

void check_campaign(const Database& database, const CampaignInfo& info, const std::string& path) {
  const Check check(path);
  check_numbers(check, info);
  check_population(check, info);
  const ReadTransaction transaction(database);
  const std::vector<Round> rounds = read_rounds(database);
  check_rounds(check, rounds, info);
  const std::vector<int64_t> done = check_blocks(check, database, rounds, info);
  check_cells(check, database, done, info);
  check_others(check, database, info);
}

void check_row(const TrialRow& row, const CampaignInfo& info, const std::string& path) {
  const Check check(path);
  const std::string name = "the row of trial " + std::to_string(row.trial) + " ";
  check.that(lies_in(row.input, 0, info.inputs), name + "is on an input that there is not");
  check.that(lies_in(row.site, 0, count(info.sites)), name + "is at no site");
  check.that(lies_in(row.choice, 0, std::max<int64_t>(count(info.choices), 1)), name + "has no choice");
  check.that(row.fired >> info.criteria.size() == 0, name + "names criteria that there are not");
  const std::vector<int64_t>& shape = info.sites[static_cast<size_t>(row.site)].shape;
  const bool has_place =
      row.index.empty() ||
      (row.index.size() == shape.size() && std::equal(row.index.begin(), row.index.end(), shape.begin(),
                                                      [](int64_t i, int64_t n) { return lies_in(i, 0, n); }));
  check.that(has_place, name + "names a value that its site has not");
}

}  // namespace faultwave
