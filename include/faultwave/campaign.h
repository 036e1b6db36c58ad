// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/engine.h"
#include "faultwave/error_model.h"
#include "faultwave/outcome.h"
#include "faultwave/population.h"
#include "faultwave/specification.h"
#include "faultwave/store.h"

namespace faultwave {

/// What a campaign works with, opened. Tests put fakes here.
struct CampaignParts {
  std::shared_ptr<Engine> engine;
  Population population;
  ErrorModelPtr error{};
  std::vector<CriterionPtr> criteria{};
  int64_t inputs = 0;                                ///< how many there are
  std::function<std::string(int64_t)> input_name{};  ///< for people; may be empty
  std::vector<int64_t> labels{};                     ///< one each, or empty
  std::string model_fingerprint{};
  std::string inputs_fingerprint{};
  std::string labels_fingerprint{};
};

/// Where a running campaign stands, the block under way included.
struct Progress {
  int64_t done = 0;
  int64_t total = 0;
  int64_t done_before = 0;  ///< by earlier runs
  Tally tally;
  std::chrono::duration<double> elapsed{0};  ///< of this run
};

/// One trial run alone.
struct ReplayedTrial {
  TrialRow row;
  std::vector<RankedClass> golden;  ///< top five; empty where the first output is no vector of scores
  std::vector<RankedClass> faulty;
};

/// The trials of one specification: draws them, runs them on an engine, judges them. Prints nothing.
class Campaign {
 public:
  /// Throws UserError(usage) for criteria that cannot be told apart.
  Campaign(Specification specification, CampaignParts parts);

  const Specification& specification() const { return specification_; }
  const CampaignParts& parts() const { return parts_; }

  /// What a store records of this campaign. `file` is the specification as it is in its file at `path`,
  /// before flags of the command line changed it.
  CampaignInfo info(const Specification& file, const std::string& path) const;

  /// Trial `number`: a function of the seed and the number alone. Draw(seed, number) gives, in this order:
  /// input, site, element, bit, key.
  Trial draw(int64_t number) const;

  /// Runs the unfinished blocks of the store, in order, each written in one transaction. `cancel` is looked
  /// at between calls of the engine: once true, the block under way is dropped. `report` may be empty; it is
  /// called from this thread after each call of the engine. Returns whether all is done.
  bool run(Store& store, const std::atomic<bool>& cancel,
           const std::function<void(const Progress&)>& report) const;

  /// Runs one trial alone.
  ReplayedTrial replay(int64_t number) const;

 private:
  std::optional<std::vector<TrialRow>> run_block(const Block& block, const std::atomic<bool>& cancel,
                                                 const std::function<void(const Tally&)>& report) const;
  TrialRow judge_trial(const Trial& trial, const TrialOutputs& outputs) const;

  Specification specification_;
  CampaignParts parts_;
  std::vector<std::string> columns_;  // one a criterion
  std::map<std::pair<SiteKind, std::string>, int64_t> site_numbers_;
};

/// Opens all that a specification names: network, inputs, labels, sites, engine; checks that the error model
/// is legal at each site. Throws UserError.
Campaign open_campaign(const Specification& specification);

/// Throws UserError(mismatch) naming what differs, unless the two are the same campaign. `where` is the
/// database, for the message.
void check_same_campaign(const CampaignInfo& recorded, const CampaignInfo& now, const std::string& where);

/// The specification that a database holds, its paths relative to the folder that they were relative to.
/// `moved_to` names the file where it now lies, or is ""; where the file exists (there, or where it was), its
/// content must be what was recorded. Throws UserError(mismatch), UserError(bad_input).
Specification recorded_specification(const Store& store, const std::string& moved_to = {});

/// Throws UserError(store) if no new database for this campaign can be made at `path`; one that exists is
/// told apart: this campaign, another one, something else.
void check_new_database(const std::string& path, const Specification& specification);

std::string program_version();
std::string torch_version();

}  // namespace faultwave
