// SPDX-License-Identifier: Apache-2.0
// From drawn trials to judged ones.
#include <algorithm>
#include <iterator>
#include <utility>

#include "faultwave/campaign.h"
#include "faultwave/error.h"

namespace faultwave {
namespace {

// A call of the engine is given so many whole batches: few enough that Ctrl-C is felt at once.
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
  if (!top.empty()) classes[input] = top[0].index;
}

void take_top(const std::vector<RankedClass>& top, std::optional<int64_t>& index, double& probability) {
  if (top.empty()) return;
  index = top[0].index;
  probability = top[0].probability;
}

/// The index of a victim within its batch element: which element of a batch a trial was run in means nothing.
std::vector<int64_t> index_in_element(std::vector<int64_t> index, const BatchAxis& batch) {
  if (batch.dim < 0 || batch.dim >= static_cast<int64_t>(index.size())) return index;
  if (batch.rows > 1) {
    index[batch.dim] %= batch.rows;
  } else {
    index.erase(index.begin() + batch.dim);
  }
  return index;
}

void take_receipt(const Receipt& receipt, const BatchAxis& batch, TrialRow& row) {
  row.forwards = receipt.forwards;
  row.hits = receipt.hits;
  if (receipt.victims.empty()) return;
  const Victim& victim = receipt.victims[0];
  row.index = index_in_element(victim.index, batch);
  row.value_before = victim.before;
  row.value_after = victim.after;
  row.bits_before = victim.bits_before;
  row.bits_after = victim.bits_after;
}

bool is_event(OutcomeClass outcome) {
  return outcome == OutcomeClass::sdc || outcome == OutcomeClass::due;
}

}  // namespace

struct Campaign::Judged {
  TrialOutcome outcome;
  std::optional<TrialRow> row;  // where the trial is worth one
};

std::optional<BlockResult> Campaign::run_block(const Round& round, const Block& block,
                                               const std::atomic<bool>& cancel,
                                               const std::function<void(const Tally&)>& report) const {
  const Shares shares{round.shares};
  std::vector<Sampler::Drawn> drawn;
  drawn.reserve(static_cast<size_t>(block.trials));
  for (int64_t i = 0; i < block.trials; ++i)
    drawn.push_back(parts_.sampler->draw(block.first_trial + i, shares));
  std::stable_sort(drawn.begin(), drawn.end(),
                   [](const auto& a, const auto& b) { return a.located.input < b.located.input; });

  BlockResult result{
      .block = block, .outcomes = std::vector<TrialOutcome>(drawn.size()), .rows = {}, .golden_classes = {}};
  const bool keeps_all = specification_.keeps_all();
  Tally tally(columns_.size());
  const auto most = static_cast<size_t>(specification_.batch * kBatchesPerCall);
  for (size_t begin = 0; begin < drawn.size();) {
    if (cancel) return std::nullopt;
    const size_t end = std::min(begin + most, drawn.size());
    std::vector<Trial> call;
    call.reserve(end - begin);
    for (size_t i = begin; i < end; ++i)
      call.push_back(std::move(drawn[i].trial));
    size_t handed_over = 0;
    parts_.engine->run(call, [&](size_t index, const TrialOutputs& outputs) {
      const Trial& trial = call.at(index);
      const Sampler::Located& located = drawn[begin + index].located;
      Judged judged = judge_trial(trial, located, outputs, keeps_all);
      tally.add(judged.outcome);
      ++handed_over;
      result.outcomes[trial.number - static_cast<uint64_t>(block.first_trial)] = judged.outcome;
      if (judged.row) result.rows.push_back(std::move(*judged.row));
      note_golden_class(result.golden_classes, located.input, outputs.golden);
    });
    if (handed_over != call.size()) throw InternalError("the engine did not hand over each trial once");
    if (report) report(tally);
    begin = end;
  }
  std::sort(result.rows.begin(), result.rows.end(),
            [](const TrialRow& a, const TrialRow& b) { return a.trial < b.trial; });
  return result;
}

Campaign::Judged Campaign::judge_trial(const Trial& trial, const Sampler::Located& located,
                                       const TrialOutputs& outputs, bool keeps_all) const {
  const bool crashed = !outputs.crash.empty();
  const bool labelled = !parts_.labels.empty();
  std::optional<int64_t> label;
  if (labelled) label = parts_.labels[static_cast<size_t>(trial.input)];
  const Outcome outcome = crashed ? crashed_outcome(parts_.criteria)
                                  : judge({outputs.golden, outputs.faulty, label}, parts_.criteria);
  Judged judged;
  judged.outcome = {.site = static_cast<int32_t>(located.place.site),
                    .choice = static_cast<int32_t>(located.place.choice),
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
  const Site& site = parts_.sampler->population().sites()[static_cast<size_t>(row.site)];
  if (!outputs.receipts.empty()) take_receipt(outputs.receipts[0], site.batch, row);
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
  parts_.engine->run({drawn.trial}, [&](size_t, const TrialOutputs& outputs) {
    replayed.row = *judge_trial(drawn.trial, drawn.located, outputs, /*keeps_all=*/true).row;
    replayed.golden = top_of(outputs.golden);
    replayed.faulty = top_of(outputs.faulty);
  });
  return replayed;
}

}  // namespace faultwave
