// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/outcome.h"
#include "faultwave/site.h"

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
  double probability = 0;      ///< that a trial falls on this site
};

/// All that is fixed before the first trial. Two campaigns are the same exactly if these are equal but for
/// `specification_path`.
struct CampaignInfo {
  std::string specification;       ///< canonical text of what runs, flags of the command line included
  std::string specification_file;  ///< canonical text of the file alone
  std::string specification_path;  ///< where the file was; "" if there was none
  std::string model_fingerprint;   ///< SHA-256 in hex
  std::string inputs_fingerprint;
  std::string labels_fingerprint;  ///< "" without labels
  std::string program_version;
  std::string torch_version;
  uint64_t seed = 0;
  int64_t trials = 0;
  int64_t block = 0;   ///< trials of a block; the last may be shorter
  int64_t inputs = 0;  ///< how many there are to draw from
  double confidence = 0.99;
  std::string error;                       ///< text of the error model
  std::string draw;                        ///< "bits" or "layers"
  std::vector<std::string> criteria;       ///< column names, in the order of the bits of TrialRow::fired
  std::vector<std::string> criteria_text;  ///< as specified, "confidence(0.2)"
  std::vector<StoredSite> sites;
};

/// A range of consecutive trials: the unit of work and of a transaction.
struct Block {
  int64_t number = 0;
  int64_t first_trial = 0;
  int64_t trials = 0;
};

/// One trial as recorded.
struct TrialRow {
  int64_t trial = 0;
  int64_t input = 0;
  std::string fault;  ///< the fault line
  int64_t site = 0;   ///< position in CampaignInfo::sites

  // The receipt: the first value hit.
  std::vector<int64_t> index;  ///< within one batch element, as in a fault line
  double value_before = 0;
  double value_after = 0;
  uint64_t bits_before = 0;
  uint64_t bits_after = 0;
  int64_t forwards = 0;
  int64_t hits = 0;  ///< 0 only where the run crashed first: then the fields above mean nothing

  OutcomeClass outcome = OutcomeClass::masked;
  uint32_t fired = 0;  ///< bit i: criterion i
  std::string crash;   ///< what was thrown, or ""

  // Top classes; empty where the first output is no vector of scores, or the run crashed.
  std::optional<int64_t> label;
  std::optional<int64_t> golden_class;
  std::optional<int64_t> faulty_class;
  double golden_probability = 0;
  double faulty_probability = 0;
};

/// Counts over finished trials.
struct Tally {
  int64_t trials = 0;
  std::array<int64_t, 4> classes{};  ///< by OutcomeClass
  std::vector<int64_t> fired;        ///< by criterion
  int64_t golden_right = 0;          ///< trials whose golden top class is the label
  int64_t faulty_right = 0;

  Tally() = default;
  explicit Tally(size_t criteria) : fired(criteria) {}
  void add(const TrialRow& row);
  Tally& operator+=(const Tally& other);
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

  /// Opens an existing one. Access::write is granted to one process at a time; reading is possible meanwhile.
  static Store open(const std::string& path, Access access);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  const std::string& path() const;
  const CampaignInfo& info() const;

  /// Blocks not yet done, by number.
  std::vector<Block> open_blocks() const;
  int64_t trials_done() const;

  /// Records a block in one transaction: its rows (one a trial, ascending), its packed outcomes, its tallies.
  void write_block(const Block& block, const std::vector<TrialRow>& rows);

  /// One a site, in the order of CampaignInfo::sites.
  std::vector<Tally> tallies() const;

  /// Calls `visit` for each recorded trial, ascending. One consistent state, even while another process
  /// writes.
  void each_trial(const std::function<void(const TrialRow&)>& visit) const;
  /// Empty if the trial is not recorded (yet).
  std::optional<TrialRow> trial(int64_t number) const;

  /// Packed outcomes of a finished block; empty if it is not done.
  std::vector<uint8_t> packed_outcomes(int64_t block) const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Outcomes are packed into as few whole bytes a trial as hold (fired << 2 | class), lowest byte first: one
/// byte for up to six criteria.
std::vector<uint8_t> pack_outcomes(const std::vector<TrialRow>& rows, size_t criteria);
struct PackedOutcome {
  OutcomeClass outcome = OutcomeClass::masked;
  uint32_t fired = 0;
};
std::vector<PackedOutcome> unpack_outcomes(const std::vector<uint8_t>& bytes, size_t criteria);

}  // namespace faultwave
