// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/cancel.h"
#include "faultwave/engine.h"
#include "faultwave/error.h"
#include "faultwave/inputs.h"
#include "faultwave/interval.h"
#include "faultwave/network.h"
#include "faultwave/outcome.h"
#include "faultwave/sampler.h"
#include "faultwave/specification.h"
#include "faultwave/store.h"
#include "faultwave/wave_engine.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// What a campaign works with, opened. Tests put fakes here.
struct CampaignParts {
  std::shared_ptr<Engine> engine;
  /// Runs real faulty forwards: decides trials anew that `engine` leaves near a border, and audits. May be
  /// null where `engine` itself does so (TrialOutputs::rounding is 0).
  std::shared_ptr<Engine> exact{};
  std::shared_ptr<const Sampler> sampler;
  /// What `engine` did so far where it is a wave engine; empty where not. Work of other processes does not
  /// count.
  std::function<WaveReport()> wave_report{};
  /// Golden outputs of an input, as Engine hands them over. Empty where no trial can end its process.
  std::function<std::vector<at::Tensor>(int64_t input)> golden{};
  /// What the engine is expected to take, in seconds of a usual machine: for each input that is new to a part
  /// of a block, and for each trial. 0: next to nothing. From the network alone, never measured, so that a
  /// block has the same parts everywhere.
  double input_cost = 0;
  double trial_cost = 0;
  std::vector<CriterionPtr> criteria{};
  std::function<std::string(int64_t)> input_name{};  ///< for people; may be empty
  std::vector<int64_t> labels{};                     ///< one an input, or empty
  std::map<int64_t, int64_t> golden_classes{};       ///< by input, -1 without scores, as far as known
  /// What a user should know before reading numbers, one sentence each: NaN in inputs, labels that are no
  /// class, criteria that read what are no scores, and the like. Not where a recorded campaign goes on.
  std::vector<std::string> warnings{};
  std::string arithmetic{};  ///< CampaignInfo::arithmetic
  std::string model_fingerprint{};
  std::string inputs_fingerprint{};
  std::string labels_fingerprint{};
};

/// Where a running campaign stands, the block under way included.
struct Progress {
  int64_t done = 0;
  int64_t total = 0;        ///< at most
  int64_t done_before = 0;  ///< by earlier runs
  Tally tally;              ///< plain counts: not of equal weight where the campaign is stratified
  std::optional<Interval>
      rate;               ///< of the first criterion after the last whole round, where campaigns go in rounds
  double half_width = 0;  ///< where the campaign is to stop, or 0
  std::chrono::duration<double> elapsed{0};  ///< of this run
};

/// One trial run alone.
struct ReplayedTrial {
  TrialRow row;
  std::vector<RankedClass> golden;  ///< top five; empty where the first output is no vector of scores
  std::vector<RankedClass> faulty;
};

/// An audited trial whose outcome, or whose outputs beyond rounding, the two engines do not agree on: no
/// mistake of the user.
class Disagreement : public std::runtime_error {
 public:
  Disagreement(const std::string& message, TrialOutputs engine, TrialOutputs exact)
      : std::runtime_error(message), engine_(std::move(engine)), exact_(std::move(exact)) {}

  /// Writes golden outputs and those of both engines beside a database, for torch.load, and throws the
  /// sentence that says so as UserError(mismatch).
  [[noreturn]] void keep(const std::string& database) const;

 private:
  TrialOutputs engine_;
  TrialOutputs exact_;
};

/// Runs blocks of one round somewhere else and hands results to `done`, blocks in any order and whole or in
/// pieces, from the calling thread. Returns false if it was cancelled.
using BlockRunner = std::function<bool(const Round& round, const std::vector<Block>& blocks,
                                       const std::function<void(const BlockResult&)>& done)>;

/// The trials of one specification: draws them, runs them on an engine, judges them. Prints nothing.
///
/// Trials go in rounds (schedule.h). Shares and ends are decided at the end of a round, from whole rounds
/// alone, so a campaign is the same whatever ran its blocks, in whatever order, and whatever interrupted it.
class Campaign {
 public:
  /// Throws UserError(usage) for criteria that cannot be told apart.
  Campaign(Specification specification, CampaignParts parts);

  const Specification& specification() const { return specification_; }
  const CampaignParts& parts() const { return parts_; }
  /// How many trials it has at most.
  int64_t trials() const { return trials_; }
  /// Names of the criteria in reports and exports.
  const std::vector<std::string>& columns() const { return columns_; }

  /// What a store records of this campaign. `file` is the specification as it is in its file at `path`,
  /// before flags of the command line changed it. Throws UserError(usage) for a shard of a campaign that
  /// goes in rounds, or of one with fewer blocks than shards.
  CampaignInfo info(const Specification& file, const std::string& path, const Shard& shard = {}) const;

  /// Trial `number` of a round with these shares; see Sampler.
  Trial draw(int64_t number, const Shares& shares = {}) const;

  /// Goes on until all is done or the stop rule holds. What is finished is written when a block is, and
  /// within a block whenever a part of it is and two seconds are over. `cancel` is asked between calls of
  /// the engine: once true, the part under way is dropped. `report` may be empty;
  /// it is called from this thread after each call of the engine. Without `elsewhere` blocks run here, in
  /// order. Returns whether the campaign is at its end.
  bool run(Store& store, const CancelCheck& cancel = {},
           const std::function<void(const Progress&)>& report = {}, const BlockRunner& elsewhere = {}) const;
  /// Runs it to its end, or until cancelled, without a file; the result is gone with the Store.
  Store run(const CancelCheck& cancel = {}, const std::function<void(const Progress&)>& report = {}) const;

  /// What is not finished of one block of a round. Its trials are cut into parts, which depend on the block
  /// alone, and a part is run as a whole but for trials that are finished, so that results are the same
  /// however often the block was interrupted. Where `done` is given, it gets the parts that are finished
  /// every two seconds and when cancelled, and the result is the rest. Empty if cancelled. `report` gets the
  /// counts of what `done` did not get so far. Throws Disagreement if an audit finds one.
  std::optional<BlockResult> run_block(const Round& round, const Block& block, const CancelCheck& cancel,
                                       const std::function<void(const Tally&)>& report,
                                       const std::function<void(const BlockResult&)>& done = {}) const;

  /// The result of one trial of a block that did not come to its end: OutcomeClass::hang, or
  /// OutcomeClass::crash of the process by `how`. Runs the golden network.
  BlockResult ended_trial(const Round& round, const Block& block, int64_t number, OutcomeClass outcome,
                          const std::string& how) const;

  /// Runs one trial alone. `shares` as of its round. Throws UserError(usage) for a number that the campaign
  /// has not.
  ReplayedTrial replay(int64_t number, const Shares& shares = {}) const;

 private:
  struct Judged;
  class Runner;
  class BlockRun;
  std::optional<int64_t> label_of(const Trial& trial) const;
  Judged judge_trial(const Trial& trial, const Sampler::Located& located, const TrialOutputs& outputs,
                     const std::vector<RankedClass>& golden_top, bool keeps_all) const;
  Judged record_trial(const Trial& trial, const Sampler::Located& located, const TrialOutputs& outputs,
                      const std::vector<RankedClass>& golden_top, const Outcome& outcome,
                      bool keeps_all) const;

  Specification specification_;
  CampaignParts parts_;
  std::vector<std::string> columns_;  // one a criterion
  int64_t trials_ = 0;
};

/// The sampler of a recorded campaign, which needs neither its network nor its inputs. `info` must come from
/// a store, and `neurons` from the same; without them a campaign whose strata go by neurons cannot be drawn
/// from, only asked for its population.
Sampler recorded_sampler(const Store& store);
Sampler recorded_sampler(const CampaignInfo& info, std::shared_ptr<const NeuronClasses> neurons = nullptr);

/// The shares with which a trial of a recorded campaign was drawn; empty unless it is stratified.
Shares shares_of_trial(const std::vector<Round>& rounds, int64_t trial);

/// What a campaign runs on, in memory.
struct Experiment {
  std::shared_ptr<Network> network{};        ///< required; network_of() makes one of a module or a callable
  std::shared_ptr<const InputSet> inputs{};  ///< required; inputs_from_tensors(), say
  std::vector<int64_t> labels{};             ///< the right class of each input, or none
  ErrorModelPtr error{};                     ///< in place of Specification::error
  std::vector<CriterionPtr> criteria{};      ///< beside those that Specification::criteria names
  /// SHA-256 in hex of the file that the network came from; empty: Workload::fingerprint().
  std::string network_fingerprint{};
  std::string labels_fingerprint{};  ///< likewise of the labels; empty: that of the numbers
};

/// The network, inputs and labels that a specification names. Throws UserError.
Experiment load_experiment(const Specification& specification);

/// Profiles the network, selects sites, checks that the error model is legal at each, chooses criteria where
/// none are named (choose_criteria), which the campaign's specification then names, and makes the engines. Of
/// the specification, `model`, `input`, `labels` and `preprocess` are not read. A stratified campaign looks
/// at the neurons of a golden run of each input, if its faults hit one output a trial at inputs drawn at
/// random (NeuronClasses); where it goes on with what `recorded` holds, it takes them from there. Throws
/// UserError.
Campaign open_campaign(const Experiment& experiment, const Specification& specification,
                       const Store* recorded = nullptr);
/// Of the files that the specification names.
Campaign open_campaign(const Specification& specification, const Store* recorded = nullptr);

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
#pragma GCC visibility pop
