// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/neuron_classes.h"
#include "faultwave/outcome.h"
#include "faultwave/shard.h"
#include "faultwave/site.h"
#include "faultwave/specification.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// A site that a campaign draws from, as recorded.
struct StoredSite {
  SiteKind kind = SiteKind::output;
  std::string name;
  std::string op;
  std::string dtype;           ///< "float32"
  std::vector<int64_t> shape;  ///< of one batch element
  int64_t values = 0;          ///< of one batch element
  int64_t bits = 0;            ///< of one value
  int64_t channel_axis = -1;   ///< axis of `shape` that counts feature maps; -1 if none does
  double probability = 0;      ///< that a trial falls on this site
};

/// A stratum, as recorded.
struct StoredStratum {
  std::string name;
  int64_t site = 0;
  int64_t first_choice = 0;  ///< of the site's choices, it holds so many from here
  int64_t choices = 0;
  double weight = 0;  ///< share of the population
  int64_t kind = 0;   ///< the same for strata of other sites that are likely alike
  /// Classes of its neurons, a bit each, and the levels of its inputs (Strata); all where there are none.
  int64_t neuron_classes = NeuronClasses::kAll;
  int64_t first_level = 0;
  int64_t levels = 1;
};

/// All that is fixed before the first trial. Two campaigns are the same exactly if these are equal but for
/// `specification_path` and `shard`.
struct CampaignInfo {
  Specification specification;     ///< of what runs, flags of the command line included; without `folder`
  std::string specification_file;  ///< canonical text of the file alone
  std::string specification_path;  ///< where the file was; "" if there was none
  std::string model_fingerprint;   ///< SHA-256 in hex
  std::string inputs_fingerprint;
  std::string labels_fingerprint;  ///< "" without labels
  std::string program_version;
  std::string torch_version;
  uint64_t seed = 0;
  int64_t trials = 0;                    ///< at most
  int64_t block = 0;                     ///< trials of a block; the last of a campaign may be shorter
  int64_t inputs = 0;                    ///< how many there are
  std::vector<int64_t> eligible_inputs;  ///< those that are drawn from; empty: all
  double confidence = 0.99;
  std::string error;                       ///< text of the error model
  std::string draw;                        ///< "bits", "layers", "stratified", "exhaustive", "list"
  std::vector<std::string> criteria;       ///< column names, in the order of the bits of TrialRow::fired
  std::vector<std::string> criteria_text;  ///< as specified, "confidence(0.2)"
  std::vector<StoredSite> sites;
  std::vector<std::string>
      choices;  ///< texts of the error model's alternatives: "flip(0)", ...; one if it has none
  std::vector<StoredStratum> strata;  ///< where the campaign is stratified
  /// Where strata go by neurons: for Store::create alone, since it may be large; Store::neuron_classes reads
  /// it back.
  std::shared_ptr<const NeuronClasses> neurons;
  std::vector<int64_t> labels;  ///< the right class of each input, or none
  /// Golden top classes that were known beforehand, by input (-1 without scores); for Store::create alone.
  std::map<int64_t, int64_t> golden_classes;
  std::vector<std::string> list;  ///< fault lines, for draw "list"
  /// What the last bits of outputs depend on beside the network: threads, instruction sets, and what the wave
  /// engine chose its ways by. To read; a campaign may go on elsewhere.
  std::string arithmetic;
  /// What it uses of plugins, and of error models that not every process knows, as JSON; "" for neither.
  std::string extensions;
  Shard shard;  ///< what of the campaign this database is for
};

/// Whether the specification's file names criteria, rather than leaving the choice to open_campaign().
bool names_criteria(const CampaignInfo& info);

/// How many blocks the campaign has, at most.
int64_t campaign_blocks(const CampaignInfo& info);

/// Which trials are the shard's, of whole blocks: all of the campaign's where it is the whole.
struct TrialRange {
  int64_t first = 0;
  int64_t end = 0;  ///< one behind the last

  int64_t size() const { return end - first; }
  bool has(int64_t trial) const { return trial >= first && trial < end; }
};
TrialRange shard_trials(const CampaignInfo& info);

/// Trials whose shares were decided on together. A campaign that does not look at results has one round.
struct Round {
  int64_t number = 0;
  int64_t first_trial = 0;
  int64_t trials = 0;
  std::vector<uint64_t> shares;  ///< Shares::ends, where the campaign is stratified
};

/// A range of consecutive trials: the unit of work and of a transaction.
struct Block {
  int64_t number = 0;
  int64_t first_trial = 0;
  int64_t trials = 0;
  std::vector<bool> finished{};  ///< which of them are done, in order; empty: none
};

/// One trial as recorded.
struct TrialRow {
  int64_t trial = 0;
  bool is_kept =
      true;  ///< false for a trial without a row: what the key and the packed outcome say, and no more
  int64_t input = 0;
  std::string fault;   ///< the fault line
  int64_t site = 0;    ///< position in CampaignInfo::sites
  int64_t choice = 0;  ///< position in CampaignInfo::choices

  // The receipt: the first value hit.
  std::vector<int64_t> index;  ///< within one batch element, as in a fault line
  double value_before = 0;
  double value_after = 0;
  uint64_t bits_before = 0;
  uint64_t bits_after = 0;
  int64_t forwards = 0;
  int64_t hits = 0;  ///< 0 only where the run ended first: then the fields above mean nothing

  OutcomeClass outcome = OutcomeClass::masked;
  uint32_t fired = 0;  ///< bit i: criterion i
  std::string crash;   ///< what was thrown, or what ended the process; or ""

  // Top classes; empty where the first output is no vector of scores, or the run gave none.
  std::optional<int64_t> label;
  std::optional<int64_t> golden_class;
  std::optional<int64_t> faulty_class;
  double golden_probability = 0;
  double faulty_probability = 0;
};

/// What every trial leaves, rows or none.
struct TrialOutcome {
  int32_t site = 0;
  int32_t choice = 0;
  int32_t stratum = 0;  ///< 0 where there are none
  OutcomeClass outcome = OutcomeClass::masked;
  uint32_t fired = 0;         ///< bit i: criterion i
  bool golden_right = false;  ///< the golden top class is the label
  bool faulty_right = false;
  bool is_done = true;  ///< false for a trial of an unfinished block that has not been run
};

/// Counts over finished trials.
struct Tally {
  int64_t trials = 0;
  std::array<int64_t, kOutcomeClasses.size()> classes{};  ///< by OutcomeClass
  std::vector<int64_t> fired;                             ///< by criterion
  int64_t right_lost = 0;  ///< trials whose golden top class is the label, and the faulty one not
  int64_t right_won = 0;   ///< the other way round

  Tally() = default;
  explicit Tally(size_t criteria) : fired(criteria) {}
  int64_t of(OutcomeClass outcome) const { return classes[static_cast<size_t>(outcome)]; }
  void add(const TrialOutcome& outcome);
  Tally& operator+=(const Tally& other);
};

/// Counts of one round in one stratum at one site, for one choice of the error model. Layers, bits and strata
/// are sums of such cells.
struct CellTally {
  int64_t round = 0;
  int64_t stratum = 0;  ///< 0 where there are none
  int64_t site = 0;
  int64_t choice = 0;
  Tally tally;
};

/// How the outcomes of an engine that works by differences were made sure of.
struct EngineCounts {
  int64_t decided_again = 0;  ///< trials near a criterion's border, whose outcome is of a real faulty run
  int64_t audited = 0;        ///< of the others, run again as a check; all agreed

  EngineCounts& operator+=(const EngineCounts& other);
};

/// What is done of a block: an outcome for each of its trials, in order, and rows of those worth keeping,
/// ascending.
struct BlockResult {
  Block block;
  std::vector<TrialOutcome> outcomes;  ///< those of trials that are not of this result are not done
  std::vector<TrialRow> rows;
  std::map<int64_t, int64_t> golden_classes;  ///< by input, of those that the block ran on; -1 without scores
  EngineCounts counts{};
};

/// One campaign in one SQLite file. docs/campaigns.md documents its tables, for plain SQL.
///
/// Every method throws UserError(store) with one sentence if the file is damaged, locked, or cannot be
/// written (read-only, disk full); what was committed before stays. One object belongs to one thread at a
/// time.
class Store {
 public:
  enum class Access { read, write };

  /// Throws UserError(store) if a new database cannot be created there: a cheap check before long work.
  /// The message for a file that exists says what it is.
  static void check_new(const std::string& path);

  /// Creates the database, complete or not at all, never over an existing file, and opens it for writing.
  static Store create(const std::string& path, const CampaignInfo& info);

  /// One in memory, which is gone with the object.
  static Store in_memory(const CampaignInfo& info);

  /// Opens an existing one. Access::write is granted to one process at a time; reading is possible meanwhile.
  static Store open(const std::string& path, Access access);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  const std::string& path() const;
  const CampaignInfo& info() const;

  /// The rounds begun so far.
  std::vector<Round> rounds() const;
  /// Records that a round begins, before its first block.
  void begin_round(const Round& round);

  /// Why the campaign is at its end: "trials" (all are done), "half width", "time", "shard" (all of its shard
  /// are done); "" while it is not.
  std::string ended() const;
  void end(const std::string& reason);

  /// Blocks of a begun round that are of this shard and not done, or not all of them, by number.
  std::vector<Block> open_blocks(const Round& round) const;
  int64_t trials_done() const;

  /// Records a block, or some trials of one, in one transaction: rows, packed outcomes, counts. Throws
  /// UserError(store) too if the file is not where it was.
  void write_block(const BlockResult& result, int64_t round);

  /// Counts by round, stratum, site and choice, in that order; cells without trials are left out.
  std::vector<CellTally> cells() const;
  /// One a site, in the order of CampaignInfo::sites.
  std::vector<Tally> tallies() const;

  /// Kept rows of a range of trials, ascending.
  std::vector<TrialRow> rows(int64_t first_trial, int64_t trials) const;
  /// Empty if the trial has no row: it is not done yet, or was not worth keeping.
  std::optional<TrialRow> row(int64_t trial) const;

  /// The golden top class of each input that a finished block ran on; -1 without scores.
  std::map<int64_t, int64_t> golden_classes() const;

  /// Calls `visit` for each block that trials are done of, ascending, with the number of its round and its
  /// outcomes, whose site, choice and stratum are left open. One consistent state, even while another process
  /// writes.
  void each_block(
      const std::function<void(const Block&, int64_t round, const std::vector<TrialOutcome>&)>& visit) const;
  /// The classes of neurons that the campaign was begun with; null if its strata do not go by neurons. Reads
  /// all of them, which may be some hundred megabytes.
  std::shared_ptr<const NeuronClasses> neuron_classes() const;

  /// Of all finished blocks; of one.
  EngineCounts engine_counts() const;
  EngineCounts engine_counts(int64_t block) const;
  /// Packed outcomes of a block; empty if none of it is done.
  std::vector<uint8_t> packed_outcomes(int64_t block) const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Outcomes are packed into as few whole bytes a trial as hold (fired << 5 | faulty_right << 4 | golden_right
/// << 3 | class) if there are labels, (fired << 3 | class) if not, lowest byte first: one byte for three
/// criteria with labels, for five without. The class of a trial that is not done is 7. Site, choice and
/// stratum are not packed: the key gives them back.
std::vector<uint8_t> pack_outcomes(const std::vector<TrialOutcome>& outcomes, const CampaignInfo& info);
std::vector<TrialOutcome> unpack_outcomes(const std::vector<uint8_t>& bytes, const CampaignInfo& info);

}  // namespace faultwave
#pragma GCC visibility pop
