// SPDX-License-Identifier: Apache-2.0
// From drawn trials to judged ones.
#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <utility>

#include "faultwave/campaign.h"
#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/campaign/audit.h"

namespace faultwave {
namespace {

// Ctrl-C is felt after so many batches.
constexpr int64_t kBatchesPerCall = 4;

/// Whether the first output is a vector of scores.
bool has_scores(const std::vector<at::Tensor>& outputs) {
  return !outputs.empty() && outputs[0].dim() == 1 && outputs[0].is_floating_point();
}

/// Top classes of scores; none where there are none.
std::vector<RankedClass> top_of(const std::vector<at::Tensor>& outputs, int64_t most = 1) {
  return has_scores(outputs) ? top_classes(outputs[0], most) : std::vector<RankedClass>();
}

/// Once an input: ranking a thousand classes takes as long as all the rest of a masked trial.
void note_golden_class(std::map<int64_t, int64_t>& classes, int64_t input,
                       const std::vector<at::Tensor>& golden) {
  if (classes.count(input) > 0 || golden.empty()) return;
  const std::vector<RankedClass> top = top_of(golden);
  classes[input] = top.empty() ? -1 : top[0].index;
}

void take_top(const std::vector<RankedClass>& top, std::optional<int64_t>& index, double& probability) {
  if (top.empty()) return;
  index = top[0].index;
  probability = top[0].probability;
}

void take_receipt(const Receipt& receipt, TrialRow& row) {
  row.forwards = receipt.forwards;
  row.hits = receipt.hits;
  if (receipt.victims.empty()) return;
  const Victim& victim = receipt.victims[0];
  row.index = victim.element_index;  // which element of a batch a trial was run in means nothing
  row.value_before = victim.before;
  row.value_after = victim.after;
  row.bits_before = victim.bits_before;
  row.bits_after = victim.bits_after;
}

// Which trials are audited is drawn by a key of its own.
constexpr uint64_t kAuditKey = 0x6175646974;  // "audit"

struct Cancelled {};

// A part of a block is expected to take so long: what is lost at most where the process is killed.
constexpr double kPartSeconds = 10;
// Along a wave trials share a golden forward, which must not be run for too few of them.
constexpr size_t kFewestOfPart = 32;

// What is finished is handed over so often; each time costs a transaction.
constexpr std::chrono::seconds kHandOver{2};

bool is_event(OutcomeClass outcome) {
  return outcome != OutcomeClass::masked && outcome != OutcomeClass::benign;
}

}  // namespace

struct Campaign::Judged {
  TrialOutcome outcome;
  std::optional<TrialRow> row;  // where the trial is worth one
};

/// One block under way. Its trials are sorted by input and cut into parts, which are run one after the other.
/// What the engine leaves near a border is decided again on the exact one, and a sample of the rest is
/// compared with it, before the next part begins.
class Campaign::BlockRun {
 public:
  BlockRun(const Campaign& campaign, const Round& round, const Block& block, const CancelCheck& cancel,
           const std::function<void(const Tally&)>& report,
           const std::function<void(const BlockResult&)>& done)
      : parts_(campaign.parts_),
        campaign_(campaign),
        keeps_all_(campaign.specification_.keeps_all()),
        cancel_(cancel),
        report_(report),
        done_(done),
        tally_(campaign.columns_.size()) {
    const Shares shares{round.shares};
    drawn_.reserve(static_cast<size_t>(block.trials));
    for (int64_t i = 0; i < block.trials; ++i)
      drawn_.push_back(parts_.sampler->draw(block.first_trial + i, shares));
    std::stable_sort(drawn_.begin(), drawn_.end(),
                     [](const auto& a, const auto& b) { return a.located.input < b.located.input; });
    result_ = empty_result(block);
  }

  /// What was not handed over. Throws Cancelled.
  BlockResult run() {
    try {
      for (const Positions& part : open_parts()) {
        run_part(part);
        if (done_ && Clock::now() - handed_over_ >= kHandOver) hand_over();
      }
    } catch (...) {
      if (done_ && finished_parts_ > 0) hand_over();
      throw;
    }
    return take_result();
  }

 private:
  using Positions = std::vector<size_t>;  // in drawn_
  using Clock = std::chrono::steady_clock;

  static BlockResult empty_result(const Block& block) {
    BlockResult result{.block = block, .outcomes = {}, .rows = {}, .golden_classes = {}};
    result.outcomes.assign(static_cast<size_t>(block.trials), TrialOutcome{.is_done = false});
    return result;
  }

  /// Trials of one call of an engine that does not care how many there are.
  size_t usual_call() const { return static_cast<size_t>(campaign_.specification_.batch * kBatchesPerCall); }

  /// Whether a part may have so many trials: batches should be full where they take no time.
  bool may_end(size_t trials) const {
    const auto batch = static_cast<size_t>(campaign_.specification_.batch);
    if (parts_.trial_cost < parts_.input_cost) return trials >= kFewestOfPart;
    return trials < batch || trials % batch == 0;
  }

  /// Where each part ends: as soon as it is expected to take its time. The same for a block whatever is
  /// finished of it.
  std::vector<size_t> ends_of_parts() const {
    const bool likes_many = parts_.engine->trials_a_call() > 0;
    std::vector<size_t> ends;
    double cost = 0;
    size_t begin = 0;
    for (size_t i = 0; i < drawn_.size(); ++i) {
      const bool is_new = i == begin || drawn_[i].located.input != drawn_[i - 1].located.input;
      cost += parts_.trial_cost + (is_new ? parts_.input_cost : 0);
      const size_t trials = i + 1 - begin;
      const bool is_full = !likes_many && trials == usual_call();
      if (!is_full && (cost < kPartSeconds || !may_end(trials))) continue;
      ends.push_back(i + 1);
      begin = i + 1;
      cost = 0;
    }
    if (begin < drawn_.size()) ends.push_back(drawn_.size());
    return ends;
  }

  /// Parts without what is finished of them.
  std::vector<Positions> open_parts() const {
    const std::vector<bool>& finished = result_.block.finished;
    std::vector<Positions> parts;
    size_t position = 0;
    for (const size_t end : ends_of_parts()) {
      Positions part;
      for (; position < end; ++position) {
        if (finished.empty() || !finished[place_of(position)]) part.push_back(position);
      }
      if (!part.empty()) parts.push_back(std::move(part));
    }
    return parts;
  }

  void run_part(const Positions& part) {
    again_.clear();
    audited_.clear();
    rows_of_part_.clear();
    run_on(*parts_.engine, part,
           [this](size_t position, const TrialOutputs& outputs) { take(position, outputs); });
    run_on(exact(), again_,
           [this](size_t position, const TrialOutputs& outputs) { record(position, outputs); });
    run_on(exact(), keys_of(audited_),
           [this](size_t position, const TrialOutputs& outputs) { audit(position, outputs); });
    finish_part(part);
  }

  /// A part counts once all of it is done, so that it is run again as the whole it was.
  void finish_part(const Positions& part) {
    for (const size_t position : part)
      outcome_at(position).is_done = true;
    result_.rows.insert(result_.rows.end(), std::make_move_iterator(rows_of_part_.begin()),
                        std::make_move_iterator(rows_of_part_.end()));
    rows_of_part_.clear();
    result_.counts += {static_cast<int64_t>(again_.size()), static_cast<int64_t>(audited_.size())};
    ++finished_parts_;
  }

  BlockResult take_result() {
    std::sort(result_.rows.begin(), result_.rows.end(),
              [](const TrialRow& a, const TrialRow& b) { return a.trial < b.trial; });
    finished_parts_ = 0;
    return std::exchange(result_, empty_result(result_.block));
  }

  void hand_over() {
    tally_ = Tally(campaign_.columns_.size());
    done_(take_result());
    handed_over_ = Clock::now();
  }

  static Positions keys_of(const std::map<size_t, TrialOutputs>& outputs) {
    Positions keys;
    for (const auto& [position, ignored] : outputs)
      keys.push_back(position);
    return keys;
  }

  Engine& exact() const { return parts_.exact ? *parts_.exact : *parts_.engine; }

  void run_on(Engine& engine, const Positions& positions, const TrialSink& sink) {
    const auto few = static_cast<int64_t>(usual_call());
    const auto most = static_cast<size_t>(std::max(few, engine.trials_a_call()));
    for (size_t begin = 0; begin < positions.size(); begin += most) {
      if (cancel_ && cancel_()) throw Cancelled();
      const size_t end = std::min(begin + most, positions.size());
      std::vector<Trial> call;
      for (size_t i = begin; i < end; ++i)
        call.push_back(drawn_[positions[i]].trial);
      int64_t handed_over = 0;
      engine.run(call, [&](size_t index, const TrialOutputs& outputs) {
        if (handed_over > 0 && handed_over % few == 0) {
          if (cancel_ && cancel_()) throw Cancelled();
          if (report_) report_(tally_);
        }
        ++handed_over;
        sink(positions.at(begin + index), outputs);
      });
      if (handed_over != static_cast<int64_t>(call.size()))
        throw InternalError("the engine did not hand over each trial once");
      if (report_) report_(tally_);
    }
  }

  void take(size_t position, const TrialOutputs& outputs) {
    const bool is_exact = outputs.rounding == 0 || !outputs.crash.empty();
    if (!is_exact && is_near_border(position, outputs)) {
      again_.push_back(position);
      return;
    }
    if (!is_exact && is_audited(drawn_[position].trial.number)) audited_.emplace(position, kept(outputs));
    record(position, outputs);
  }

  void record(size_t position, const TrialOutputs& outputs) {
    const Trial& trial = drawn_[position].trial;
    const Sampler::Located& located = drawn_[position].located;
    Judged judged = campaign_.judge_trial(trial, located, outputs, top_of_golden(outputs), keeps_all_);
    tally_.add(judged.outcome);
    outcome_at(position) = judged.outcome;
    outcome_at(position).is_done = false;  // until its part is
    if (judged.row) rows_of_part_.push_back(std::move(*judged.row));
    note_golden_class(result_.golden_classes, located.input, outputs.golden);
  }

  void audit(size_t position, const TrialOutputs& exact) {
    const Trial& trial = drawn_[position].trial;
    const TrialOutputs& outputs = audited_.at(position);
    const Judged judged =
        campaign_.judge_trial(trial, drawn_[position].located, exact, top_of(exact.golden), false);
    check_audit(trial, outputs, outcome_at(position), exact, judged.outcome);
  }

  /// Trials of one golden run have the same tensor, which is ranked once.
  const std::vector<RankedClass>& top_of_golden(const TrialOutputs& outputs) {
    if (outputs.golden.empty()) return no_class_;
    if (!outputs.golden[0].is_same(ranked_golden_)) {
      ranked_golden_ = outputs.golden[0];
      golden_top_ = top_of(outputs.golden);
    }
    return golden_top_;
  }

  size_t place_of(size_t position) const {
    return drawn_[position].trial.number - static_cast<uint64_t>(result_.block.first_trial);
  }

  TrialOutcome& outcome_at(size_t position) { return result_.outcomes[place_of(position)]; }

  /// Tensors of an engine are valid during the call only.
  static TrialOutputs kept(const TrialOutputs& outputs) {
    TrialOutputs copy = outputs;
    for (at::Tensor& tensor : copy.golden)
      tensor = tensor.clone();
    for (at::Tensor& tensor : copy.faulty)
      tensor = tensor.clone();
    return copy;
  }

  bool is_near_border(size_t position, const TrialOutputs& outputs) const {
    const OutputPair pair{outputs.golden, outputs.faulty, campaign_.label_of(drawn_[position].trial)};
    if (faultwave::is_near_border(pair, parts_.criteria, outputs.rounding)) return true;
    // Whether the faulty network is right is recorded too.
    static const CriterionPtr top1 = parse_criterion("top1");
    return !parts_.labels.empty() && has_scores(outputs.golden) &&
           top1->is_near_border(pair, outputs.rounding);
  }

  bool is_audited(uint64_t trial) const {
    const double share = campaign_.specification_.audit;
    return share > 0 && Draw(campaign_.specification_.seed ^ kAuditKey, trial).uniform() < share;
  }

  const CampaignParts& parts_;
  const Campaign& campaign_;
  bool keeps_all_;
  const CancelCheck& cancel_;
  const std::function<void(const Tally&)>& report_;
  const std::function<void(const BlockResult&)>& done_;
  std::vector<Sampler::Drawn> drawn_;
  BlockResult result_;                  // finished parts that were not handed over
  std::vector<TrialRow> rows_of_part_;  // of the part under way
  Tally tally_;                         // of both
  at::Tensor ranked_golden_;
  std::vector<RankedClass> golden_top_;  // of that
  const std::vector<RankedClass> no_class_;
  int64_t finished_parts_ = 0;  // of result_
  Clock::time_point handed_over_ = Clock::now();
  Positions again_;
  std::map<size_t, TrialOutputs> audited_;
};

std::optional<BlockResult> Campaign::run_block(const Round& round, const Block& block,
                                               const CancelCheck& cancel,
                                               const std::function<void(const Tally&)>& report,
                                               const std::function<void(const BlockResult&)>& done) const {
  try {
    return BlockRun(*this, round, block, cancel, report, done).run();
  } catch (const Cancelled&) {
    return std::nullopt;
  }
}

std::optional<int64_t> Campaign::label_of(const Trial& trial) const {
  if (parts_.labels.empty()) return std::nullopt;
  return parts_.labels[static_cast<size_t>(trial.input)];
}

Campaign::Judged Campaign::judge_trial(const Trial& trial, const Sampler::Located& located,
                                       const TrialOutputs& outputs,
                                       const std::vector<RankedClass>& golden_top, bool keeps_all) const {
  const bool crashed = !outputs.crash.empty();
  Outcome outcome{.kind = OutcomeClass::crash};
  if (!crashed) outcome = judge({outputs.golden, outputs.faulty, label_of(trial)}, parts_.criteria);
  return record_trial(trial, located, outputs, golden_top, outcome, keeps_all);
}

/// The record of a trial whose outcome is known.
Campaign::Judged Campaign::record_trial(const Trial& trial, const Sampler::Located& located,
                                        const TrialOutputs& outputs,
                                        const std::vector<RankedClass>& golden_top, const Outcome& outcome,
                                        bool keeps_all) const {
  const bool labelled = !parts_.labels.empty();
  const std::optional<int64_t> label = label_of(trial);
  Judged judged;
  judged.outcome = {.site = static_cast<int32_t>(located.place.site),
                    .choice = static_cast<int32_t>(located.place.choice),
                    .stratum = static_cast<int32_t>(located.stratum),
                    .outcome = outcome.kind,
                    .fired = outcome.fired};
  const bool keep = keeps_all || is_event(outcome.kind);
  if (!keep && !labelled) return judged;

  TrialRow row;
  take_top(golden_top, row.golden_class, row.golden_probability);
  take_top(top_of(outputs.faulty), row.faulty_class, row.faulty_probability);
  judged.outcome.golden_right = labelled && row.golden_class == label;
  judged.outcome.faulty_right = labelled && row.faulty_class == label;
  if (!keep) return judged;

  row.trial = static_cast<int64_t>(trial.number);
  row.input = trial.input;
  row.fault = to_string(trial.faults);
  row.site = located.place.site;
  row.choice = located.place.choice;
  if (!outputs.receipts.empty()) take_receipt(outputs.receipts[0], row);
  row.label = label;
  row.crash = outputs.crash;
  row.outcome = outcome.kind;
  row.fired = outcome.fired;
  judged.row = std::move(row);
  return judged;
}

BlockResult Campaign::ended_trial(const Round& round, const Block& block, int64_t number,
                                  OutcomeClass outcome, const std::string& how) const {
  const Sampler::Drawn drawn = parts_.sampler->draw(number, Shares{round.shares});
  TrialOutputs outputs;
  if (parts_.golden) outputs.golden = parts_.golden(drawn.trial.input);
  outputs.crash = how;
  Judged judged = record_trial(drawn.trial, drawn.located, outputs, top_of(outputs.golden), {.kind = outcome},
                               /*keeps_all=*/true);
  BlockResult result{.block = block, .outcomes = {}, .rows = {}, .golden_classes = {}};
  result.outcomes.assign(static_cast<size_t>(block.trials), TrialOutcome{.is_done = false});
  result.outcomes.at(static_cast<size_t>(number - block.first_trial)) = judged.outcome;
  result.rows.push_back(std::move(*judged.row));
  note_golden_class(result.golden_classes, drawn.located.input, outputs.golden);
  return result;
}

ReplayedTrial Campaign::replay(int64_t number, const Shares& shares) const {
  if (number < 0 || number >= trials_) {
    throw UserError(ErrorCode::usage, "there is no trial " + std::to_string(number) +
                                          ": the campaign has trials 0 to " + std::to_string(trials_ - 1));
  }
  const Sampler::Drawn drawn = parts_.sampler->draw(number, shares);
  ReplayedTrial replayed;
  (parts_.exact ? parts_.exact : parts_.engine)->run({drawn.trial}, [&](size_t, const TrialOutputs& outputs) {
    constexpr int64_t kShown = 5;
    replayed.golden = top_of(outputs.golden, kShown);
    replayed.faulty = top_of(outputs.faulty, kShown);
    replayed.row = *judge_trial(drawn.trial, drawn.located, outputs, replayed.golden, /*keeps_all=*/true).row;
  });
  return replayed;
}

}  // namespace faultwave
