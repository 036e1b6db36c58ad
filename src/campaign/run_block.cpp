// SPDX-License-Identifier: Apache-2.0
// From drawn trials to judged ones.
#include <algorithm>
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

/// Top classes of an output that is a vector of scores; none otherwise.
std::vector<RankedClass> top_of(const std::vector<at::Tensor>& outputs) {
  if (outputs.empty() || outputs[0].dim() != 1 || !outputs[0].is_floating_point()) return {};
  return top_classes(outputs[0]);
}

/// Once an input: ranking a thousand classes takes as long as all the rest of a masked trial.
void note_golden_class(std::map<int64_t, int64_t>& classes, int64_t input,
                       const std::vector<at::Tensor>& golden) {
  if (classes.count(input) > 0) return;
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

bool is_event(OutcomeClass outcome) {
  return outcome == OutcomeClass::sdc || outcome == OutcomeClass::due;
}

}  // namespace

struct Campaign::Judged {
  TrialOutcome outcome;
  std::optional<TrialRow> row;  // where the trial is worth one
};

/// One block under way. What the engine leaves near a border is decided again on the exact one, and a sample
/// of the rest is compared with it.
class Campaign::BlockRun {
 public:
  BlockRun(const Campaign& campaign, const Round& round, const Block& block, const std::atomic<bool>& cancel,
           const std::function<void(const Tally&)>& report)
      : parts_(campaign.parts_),
        campaign_(campaign),
        keeps_all_(campaign.specification_.keeps_all()),
        cancel_(cancel),
        report_(report),
        tally_(campaign.columns_.size()) {
    const Shares shares{round.shares};
    drawn_.reserve(static_cast<size_t>(block.trials));
    for (int64_t i = 0; i < block.trials; ++i)
      drawn_.push_back(parts_.sampler->draw(block.first_trial + i, shares));
    std::stable_sort(drawn_.begin(), drawn_.end(),
                     [](const auto& a, const auto& b) { return a.located.input < b.located.input; });
    result_.block = block;
    result_.outcomes.resize(drawn_.size());
  }

  /// Throws Cancelled.
  BlockResult run() {
    Positions all(drawn_.size());
    std::iota(all.begin(), all.end(), size_t{0});
    run_on(*parts_.engine, all,
           [this](size_t position, const TrialOutputs& outputs) { take(position, outputs); });
    run_on(exact(), again_,
           [this](size_t position, const TrialOutputs& outputs) { record(position, outputs); });
    run_on(exact(), keys_of(audited_),
           [this](size_t position, const TrialOutputs& outputs) { audit(position, outputs); });
    result_.counts = {static_cast<int64_t>(again_.size()), static_cast<int64_t>(audited_.size())};
    std::sort(result_.rows.begin(), result_.rows.end(),
              [](const TrialRow& a, const TrialRow& b) { return a.trial < b.trial; });
    return std::move(result_);
  }

 private:
  using Positions = std::vector<size_t>;  // in drawn_

  static Positions keys_of(const std::map<size_t, TrialOutputs>& outputs) {
    Positions keys;
    for (const auto& [position, ignored] : outputs)
      keys.push_back(position);
    return keys;
  }

  Engine& exact() const { return parts_.exact ? *parts_.exact : *parts_.engine; }

  void run_on(Engine& engine, const Positions& positions, const TrialSink& sink) {
    const int64_t few = campaign_.specification_.batch * kBatchesPerCall;
    const auto most = static_cast<size_t>(std::max(few, engine.trials_a_call()));
    for (size_t begin = 0; begin < positions.size(); begin += most) {
      if (cancel_) throw Cancelled();
      const size_t end = std::min(begin + most, positions.size());
      std::vector<Trial> call;
      for (size_t i = begin; i < end; ++i)
        call.push_back(drawn_[positions[i]].trial);
      int64_t handed_over = 0;
      engine.run(call, [&](size_t index, const TrialOutputs& outputs) {
        if (handed_over > 0 && handed_over % few == 0) {
          if (cancel_) throw Cancelled();
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
    Judged judged = campaign_.judge_trial(trial, located, outputs, keeps_all_);
    tally_.add(judged.outcome);
    outcome_at(position) = judged.outcome;
    if (judged.row) result_.rows.push_back(std::move(*judged.row));
    note_golden_class(result_.golden_classes, located.input, outputs.golden);
  }

  void audit(size_t position, const TrialOutputs& exact) {
    const Trial& trial = drawn_[position].trial;
    const TrialOutputs& outputs = audited_.at(position);
    const Judged judged = campaign_.judge_trial(trial, drawn_[position].located, exact, false);
    check_audit(trial, outputs, outcome_at(position), exact, judged.outcome);
  }

  TrialOutcome& outcome_at(size_t position) {
    return result_.outcomes[drawn_[position].trial.number - static_cast<uint64_t>(result_.block.first_trial)];
  }

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
    return !parts_.labels.empty() && !top_of(outputs.golden).empty() &&
           top1->is_near_border(pair, outputs.rounding);
  }

  bool is_audited(uint64_t trial) const {
    const double share = campaign_.specification_.audit;
    return share > 0 && Draw(campaign_.specification_.seed ^ kAuditKey, trial).uniform() < share;
  }

  const CampaignParts& parts_;
  const Campaign& campaign_;
  bool keeps_all_;
  const std::atomic<bool>& cancel_;
  const std::function<void(const Tally&)>& report_;
  std::vector<Sampler::Drawn> drawn_;
  BlockResult result_;
  Tally tally_;
  Positions again_;
  std::map<size_t, TrialOutputs> audited_;
};

std::optional<BlockResult> Campaign::run_block(const Round& round, const Block& block,
                                               const std::atomic<bool>& cancel,
                                               const std::function<void(const Tally&)>& report) const {
  try {
    return BlockRun(*this, round, block, cancel, report).run();
  } catch (const Cancelled&) {
    return std::nullopt;
  }
}

std::optional<int64_t> Campaign::label_of(const Trial& trial) const {
  if (parts_.labels.empty()) return std::nullopt;
  return parts_.labels[static_cast<size_t>(trial.input)];
}

Campaign::Judged Campaign::judge_trial(const Trial& trial, const Sampler::Located& located,
                                       const TrialOutputs& outputs, bool keeps_all) const {
  const bool crashed = !outputs.crash.empty();
  const bool labelled = !parts_.labels.empty();
  const std::optional<int64_t> label = label_of(trial);
  const Outcome outcome = crashed ? crashed_outcome(parts_.criteria)
                                  : judge({outputs.golden, outputs.faulty, label}, parts_.criteria);
  Judged judged;
  judged.outcome = {.site = static_cast<int32_t>(located.place.site),
                    .choice = static_cast<int32_t>(located.place.choice),
                    .stratum = static_cast<int32_t>(located.stratum),
                    .outcome = outcome.kind,
                    .fired = outcome.fired};
  const bool keep = keeps_all || is_event(outcome.kind);
  if (!keep && !labelled) return judged;

  TrialRow row;
  take_top(top_of(outputs.golden), row.golden_class, row.golden_probability);
  if (!crashed) take_top(top_of(outputs.faulty), row.faulty_class, row.faulty_probability);
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

ReplayedTrial Campaign::replay(int64_t number, const Shares& shares) const {
  if (number < 0 || number >= trials_) {
    throw UserError(ErrorCode::usage, "there is no trial " + std::to_string(number) +
                                          ": the campaign has trials 0 to " + std::to_string(trials_ - 1));
  }
  const Sampler::Drawn drawn = parts_.sampler->draw(number, shares);
  ReplayedTrial replayed;
  (parts_.exact ? parts_.exact : parts_.engine)->run({drawn.trial}, [&](size_t, const TrialOutputs& outputs) {
    replayed.row = *judge_trial(drawn.trial, drawn.located, outputs, /*keeps_all=*/true).row;
    replayed.golden = top_of(outputs.golden);
    replayed.faulty = top_of(outputs.faulty);
  });
  return replayed;
}

}  // namespace faultwave
