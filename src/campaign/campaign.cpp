// SPDX-License-Identifier: Apache-2.0
#include "faultwave/campaign.h"

#include <algorithm>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/campaign/columns.h"
#include "src/common/torch_names.h"

namespace faultwave {
namespace {

// A call of the engine is given so many whole batches: few enough that Ctrl-C is felt at once.
constexpr int64_t kBatchesPerCall = 4;

/// Top classes of an output that is a vector of scores; none otherwise.
std::vector<RankedClass> top_of(const std::vector<at::Tensor>& outputs) {
  if (outputs.empty() || outputs[0].dim() != 1 || !outputs[0].is_floating_point()) return {};
  return top_classes(outputs[0]);
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

}  // namespace

Campaign::Campaign(Specification specification, CampaignParts parts)
    : specification_(std::move(specification)),
      parts_(std::move(parts)),
      columns_(criterion_columns(parts_.criteria)) {
  if (parts_.inputs < 1)
    throw UserError(ErrorCode::bad_input, "there are no inputs in '" + specification_.input + "'");
  if (!parts_.labels.empty() && static_cast<int64_t>(parts_.labels.size()) != parts_.inputs) {
    throw UserError(ErrorCode::bad_input, "'" + specification_.labels + "' has " +
                                              std::to_string(parts_.labels.size()) + " labels for " +
                                              std::to_string(parts_.inputs) + " inputs: expected one each");
  }
  const std::vector<Site>& sites = parts_.population.sites();
  for (size_t i = 0; i < sites.size(); ++i)
    site_numbers_[{sites[i].kind, sites[i].name}] = static_cast<int64_t>(i);
}

CampaignInfo Campaign::info(const Specification& file, const std::string& path) const {
  CampaignInfo info;
  info.specification = to_string(specification_);
  info.specification_file = to_string(file);
  info.specification_path = path;
  info.model_fingerprint = parts_.model_fingerprint;
  info.inputs_fingerprint = parts_.inputs_fingerprint;
  info.labels_fingerprint = parts_.labels_fingerprint;
  info.program_version = program_version();
  info.torch_version = torch_version();
  info.seed = specification_.seed;
  info.trials = specification_.trials;
  info.block = specification_.block;
  info.inputs = parts_.inputs;
  info.confidence = specification_.confidence;
  info.error = parts_.error->text();
  info.draw = to_string(specification_.draw);
  info.criteria = columns_;
  for (const CriterionPtr& criterion : parts_.criteria)
    info.criteria_text.push_back(criterion->text());

  const std::vector<Site>& sites = parts_.population.sites();
  for (size_t i = 0; i < sites.size(); ++i) {
    const Site& site = sites[i];
    info.sites.push_back({site.kind, site.name, site.op, dtype_name(site.dtype), site.element_shape(),
                          site.numel(), site.bits(), parts_.population.probability(i)});
  }
  return info;
}

Trial Campaign::draw(int64_t number) const {
  Draw draw(specification_.seed, static_cast<uint64_t>(number));
  Trial trial;
  trial.number = static_cast<uint64_t>(number);
  trial.input = static_cast<int64_t>(draw.below(static_cast<uint64_t>(parts_.inputs)));
  trial.faults.push_back(parts_.population.draw(parts_.error, draw));
  return trial;
}

bool Campaign::run(Store& store, const std::atomic<bool>& cancel,
                   const std::function<void(const Progress&)>& report) const {
  const auto start = std::chrono::steady_clock::now();
  Progress progress;
  progress.total = store.info().trials;
  progress.done_before = store.trials_done();
  Tally committed(columns_.size());
  for (const Tally& tally : store.tallies())
    committed += tally;

  const auto report_with = [&](const Tally& under_way) {
    if (!report) return;
    progress.tally = committed;
    progress.tally += under_way;
    progress.done = progress.tally.trials;
    progress.elapsed = std::chrono::steady_clock::now() - start;
    report(progress);
  };
  for (const Block& block : store.open_blocks()) {
    const std::optional<std::vector<TrialRow>> rows = run_block(block, cancel, report_with);
    if (!rows) return false;
    store.write_block(block, *rows);
    for (const TrialRow& row : *rows)
      committed.add(row);
  }
  return true;
}

std::optional<std::vector<TrialRow>> Campaign::run_block(
    const Block& block, const std::atomic<bool>& cancel,
    const std::function<void(const Tally&)>& report) const {
  std::vector<Trial> trials;
  for (int64_t i = 0; i < block.trials; ++i)
    trials.push_back(draw(block.first_trial + i));
  std::stable_sort(trials.begin(), trials.end(),
                   [](const Trial& a, const Trial& b) { return a.input < b.input; });

  std::vector<TrialRow> rows(trials.size());
  Tally tally(columns_.size());
  const auto most = static_cast<size_t>(specification_.batch * kBatchesPerCall);
  for (size_t begin = 0; begin < trials.size();) {
    if (cancel) return std::nullopt;
    const size_t end = std::min(begin + most, trials.size());
    const std::vector<Trial> call(trials.begin() + begin, trials.begin() + end);
    size_t handed_over = 0;
    parts_.engine->run(call, [&](size_t index, const TrialOutputs& outputs) {
      TrialRow row = judge_trial(call.at(index), outputs);
      tally.add(row);
      ++handed_over;
      rows[row.trial - block.first_trial] = std::move(row);
    });
    if (handed_over != call.size()) throw InternalError("the engine did not hand over each trial once");
    report(tally);
    begin = end;
  }
  return rows;
}

TrialRow Campaign::judge_trial(const Trial& trial, const TrialOutputs& outputs) const {
  TrialRow row;
  row.trial = static_cast<int64_t>(trial.number);
  row.input = trial.input;
  row.fault = to_string(trial.faults);
  row.site = site_numbers_.at({trial.faults[0].kind, trial.faults[0].site});
  const Site& site = parts_.population.sites()[row.site];
  if (!outputs.receipts.empty()) take_receipt(outputs.receipts[0], site.batch, row);
  if (!parts_.labels.empty()) row.label = parts_.labels[trial.input];
  row.crash = outputs.crash;

  const bool crashed = !outputs.crash.empty();
  const Outcome outcome =
      crashed ? crashed_outcome(parts_.criteria) : judge({outputs.golden, outputs.faulty}, parts_.criteria);
  row.outcome = outcome.kind;
  row.fired = outcome.fired;
  take_top(top_of(outputs.golden), row.golden_class, row.golden_probability);
  if (!crashed) take_top(top_of(outputs.faulty), row.faulty_class, row.faulty_probability);
  return row;
}

ReplayedTrial Campaign::replay(int64_t number) const {
  if (number < 0 || number >= specification_.trials) {
    throw UserError(ErrorCode::usage, "there is no trial " + std::to_string(number) +
                                          ": the campaign has trials 0 to " +
                                          std::to_string(specification_.trials - 1));
  }
  const std::vector<Trial> trials = {draw(number)};
  ReplayedTrial replayed;
  parts_.engine->run(trials, [&](size_t, const TrialOutputs& outputs) {
    replayed.row = judge_trial(trials[0], outputs);
    replayed.golden = top_of(outputs.golden);
    replayed.faulty = top_of(outputs.faulty);
  });
  return replayed;
}

}  // namespace faultwave
