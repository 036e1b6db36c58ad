// SPDX-License-Identifier: Apache-2.0
#include "faultwave/campaign.h"

#include <algorithm>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/estimates.h"

#include "src/campaign/columns.h"
#include "src/campaign/recorded_extensions.h"
#include "src/campaign/schedule.h"
#include "src/common/torch_names.h"
#include "src/specification/check_numbers.h"

namespace faultwave {
namespace {

void check_parts(const Specification& spec, const CampaignParts& parts) {
  const SamplingOptions& sampling = parts.sampler->options();
  if (sampling.inputs < 1)
    throw UserError(ErrorCode::bad_input, "there are no inputs in '" + spec.input + "'");
  if (!parts.labels.empty() && static_cast<int64_t>(parts.labels.size()) != sampling.inputs) {
    throw UserError(ErrorCode::bad_input, "'" + spec.labels + "' has " + std::to_string(parts.labels.size()) +
                                              " labels for " + std::to_string(sampling.inputs) +
                                              " inputs: expected one each");
  }
}

int64_t most_trials(const Specification& spec, const Sampler& sampler) {
  check_numbers(spec);
  // Where only the stop rule ends a campaign, it hardly comes to the last of them.
  if (!sampler.trials()) return spec.trials > 0 ? spec.trials : kMostTrials;
  const int64_t all = *sampler.trials();
  const int64_t most = spec.trials > 0 ? std::min(spec.trials, all) : all;
  check_trials(spec, most);
  return most;
}

StoredSite stored(const Site& site, double probability) {
  return {.kind = site.kind,
          .name = site.name,
          .op = site.op,
          .dtype = dtype_name(site.dtype),
          .shape = site.element_shape(),
          .values = site.numel(),
          .bits = site.bits(),
          .channel_axis = site.channel_axis,
          .probability = probability};
}

std::vector<StoredStratum> stored(const Strata& strata) {
  std::vector<StoredStratum> stored;
  for (size_t i = 0; i < strata.size(); ++i) {
    StoredStratum stratum{.name = strata.name(i),
                          .site = strata.site(i),
                          .first_choice = strata.first_choice(i),
                          .choices = strata.choices(i),
                          .weight = strata.weight(i),
                          .kind = static_cast<int64_t>(strata.kind(i))};
    if (strata.classes()) {
      const NeuronClasses::Selection& neurons = strata.neurons(i);
      stratum.neuron_classes = neurons.classes;
      stratum.first_level = strata.first_level(i);
      stratum.levels = strata.levels(i);
    }
    stored.push_back(std::move(stratum));
  }
  return stored;
}

void check_shard(const Specification& spec, const CampaignInfo& info) {
  if (info.shard.is_whole()) return;
  if (spec.goes_in_rounds()) {
    throw UserError(ErrorCode::usage,
                    "this campaign cannot be split into shards, since it goes in rounds, each of which waits "
                    "for all results of the one before: use --workers, on one machine, or leave out [stop] "
                    "and draw = \"stratified\"");
  }
  const int64_t blocks = campaign_blocks(info);
  if (info.shard.of > blocks) {
    throw UserError(ErrorCode::usage, "there cannot be " + std::to_string(info.shard.of) +
                                          " shards: the campaign has " + std::to_string(blocks) +
                                          " blocks of " + std::to_string(info.block) +
                                          " trials; ask for fewer shards, or set a smaller `block`");
  }
}

/// Criteria that the stop rule looks at, by position.
std::vector<size_t> stop_criteria(const Specification& spec, const std::vector<std::string>& columns) {
  if (spec.stop.criteria.empty()) return {0};
  std::vector<size_t> positions;
  for (const std::string& name : spec.stop.criteria) {
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found == columns.end()) {
      throw UserError(ErrorCode::usage,
                      "[stop] criteria names '" + name + "', which is not among the criteria");
    }
    positions.push_back(static_cast<size_t>(found - columns.begin()));
  }
  return positions;
}

}  // namespace

Campaign::Campaign(Specification specification, CampaignParts parts)
    : specification_(std::move(specification)),
      parts_(std::move(parts)),
      columns_(criterion_columns(parts_.criteria)),
      trials_(most_trials(specification_, *parts_.sampler)) {
  check_parts(specification_, parts_);
  stop_criteria(specification_, columns_);
}

CampaignInfo Campaign::info(const Specification& file, const std::string& path, const Shard& shard) const {
  const Sampler& sampler = *parts_.sampler;
  const Population& population = sampler.population();
  CampaignInfo info;
  info.specification = specification_;
  info.specification.folder.clear();
  info.specification_file = to_string(file);
  info.specification_path = path;
  info.model_fingerprint = parts_.model_fingerprint;
  info.inputs_fingerprint = parts_.inputs_fingerprint;
  info.arithmetic = parts_.arithmetic;
  info.labels_fingerprint = parts_.labels_fingerprint;
  info.program_version = program_version();
  info.torch_version = torch_version();
  info.seed = specification_.seed;
  info.trials = trials_;
  info.shard = shard;
  info.block = specification_.block;
  check_shard(specification_, info);
  info.inputs = sampler.options().inputs;
  info.eligible_inputs = sampler.options().eligible;
  info.confidence = specification_.confidence;
  info.error = specification_.draw == DrawRule::list ? "fault lines" : population.model()->text();
  info.draw = to_string(specification_.draw);
  info.choices = population.choice_texts();
  if (specification_.draw == DrawRule::stratified) info.strata = stored(sampler.strata());
  info.neurons = sampler.options().neurons;
  info.labels = parts_.labels;
  info.golden_classes = parts_.golden_classes;
  info.criteria = columns_;
  for (const CriterionPtr& criterion : parts_.criteria)
    info.criteria_text.push_back(criterion->text());
  for (const std::vector<Fault>& line : sampler.options().list)
    info.list.push_back(to_string(line));
  info.extensions = describe_extensions(sampler, parts_.criteria);
  for (size_t i = 0; i < population.sites().size(); ++i)
    info.sites.push_back(stored(population.sites()[i], population.probability(i)));
  return info;
}

Trial Campaign::draw(int64_t number, const Shares& shares) const {
  return parts_.sampler->draw(number, shares).trial;
}

/// What one run of a campaign keeps between rounds.
class Campaign::Runner {
 public:
  Runner(const Campaign& campaign, Store& store, const CancelCheck& cancel,
         const std::function<void(const Progress&)>& report, const BlockRunner& elsewhere)
      : campaign_(campaign),
        spec_(campaign.specification_),
        store_(store),
        cancel_(cancel),
        report_(report),
        elsewhere_(elsewhere),
        committed_(campaign.columns_.size()) {
    progress_.total = shard_trials(store.info()).size();
    progress_.done_before = store.trials_done();
    progress_.half_width = spec_.stop.half_width;
    for (const Tally& tally : store.tallies())
      committed_ += tally;
  }

  bool run() {
    while (store_.ended().empty()) {
      std::vector<Round> rounds = store_.rounds();
      if (rounds.empty()) {
        begin(rounds);
        continue;
      }
      const std::vector<Block> blocks = store_.open_blocks(rounds.back());
      if (!blocks.empty()) {
        if (!run_blocks(rounds.back(), blocks)) return false;
        continue;
      }
      const std::string reason = reason_to_end(rounds);
      if (!reason.empty()) {
        store_.end(reason);
      } else {
        begin(rounds);
      }
    }
    return true;
  }

 private:
  void begin(const std::vector<Round>& rounds) {
    Round round = next_round(spec_, store_.info().trials, rounds, widest_);
    if (spec_.draw == DrawRule::stratified) {
      round.shares = decide_shares(store_.info(), rounds, store_.cells(), spec_.stop.half_width,
                                   stop_criteria(spec_, campaign_.columns_))
                         .ends;
    }
    store_.begin_round(round);
  }

  bool run_blocks(const Round& round, const std::vector<Block>& blocks) {
    const std::function<void(const BlockResult&)> done = [&](const BlockResult& result) {
      store_.write_block(result, round.number);
      for (const TrialOutcome& outcome : result.outcomes) {
        if (outcome.is_done) committed_.add(outcome);
      }
      if (elsewhere_) report_with(Tally(campaign_.columns_.size()));
    };
    if (elsewhere_) return elsewhere_(round, blocks, done);
    for (const Block& block : blocks) {
      const auto rest = run_here(round, block, done);
      if (!rest) return false;
      done(*rest);
    }
    return true;
  }

  std::optional<BlockResult> run_here(const Round& round, const Block& block,
                                      const std::function<void(const BlockResult&)>& done) {
    try {
      return campaign_.run_block(
          round, block, cancel_, [&](const Tally& tally) { report_with(tally); }, done);
    } catch (const Disagreement& disagreement) {
      disagreement.keep(store_.path());
    }
  }

  std::string reason_to_end(const std::vector<Round>& rounds) {
    if (!store_.info().shard.is_whole()) return "shard";
    if (rounds.back().first_trial + rounds.back().trials >= store_.info().trials) return "trials";
    const Estimates estimates(store_.info(), rounds, store_.cells());
    progress_.rate = estimates.overall(0);
    widest_ = 0;
    for (const size_t criterion : stop_criteria(spec_, campaign_.columns_)) {
      const Interval rate = estimates.overall(criterion);
      widest_ = std::max(widest_, (rate.high - rate.low) / 2);
    }
    if (spec_.stop.half_width > 0 && widest_ <= spec_.stop.half_width) return "half width";
    const std::chrono::duration<double> elapsed = Clock::now() - start_;
    return spec_.stop.minutes > 0 && elapsed.count() >= spec_.stop.minutes * 60 ? "time" : "";
  }

  void report_with(const Tally& under_way) {
    if (!report_) return;
    progress_.tally = committed_;
    progress_.tally += under_way;
    progress_.done = progress_.tally.trials;
    progress_.elapsed = Clock::now() - start_;
    report_(progress_);
  }

  using Clock = std::chrono::steady_clock;
  const Campaign& campaign_;
  const Specification& spec_;
  Store& store_;
  const CancelCheck& cancel_;
  const std::function<void(const Progress&)>& report_;
  const BlockRunner& elsewhere_;
  const Clock::time_point start_ = Clock::now();
  Progress progress_;
  Tally committed_;
  double widest_ = 1;  // half-width of what the stop rule looks at, after the last whole round
};

bool Campaign::run(Store& store, const CancelCheck& cancel,
                   const std::function<void(const Progress&)>& report, const BlockRunner& elsewhere) const {
  return Runner(*this, store, cancel, report, elsewhere).run();
}

Store Campaign::run(const CancelCheck& cancel, const std::function<void(const Progress&)>& report) const {
  Store store = Store::in_memory(info(specification_, ""));
  run(store, cancel, report);
  return store;
}

}  // namespace faultwave
