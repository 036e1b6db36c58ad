// SPDX-License-Identifier: Apache-2.0
#include "faultwave/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "faultwave/error.h"

namespace faultwave {
namespace {

constexpr double kUnits = 4294967296.0;  // 2^32

void check_options(const Population& population, const SamplingOptions& options) {
  if (options.rule == DrawRule::exhaustive && !population.is_finite()) {
    throw UserError(ErrorCode::usage,
                    "draw = \"exhaustive\" needs an error model with finitely many faults, and " +
                        population.model()->text() + " draws values: try \"flip\"");
  }
  const bool draws_places = options.rule == DrawRule::bits || options.rule == DrawRule::layers;
  if (options.faults_per_trial != 1 && !draws_places) {
    throw UserError(ErrorCode::usage,
                    "several faults a trial go with draw = \"bits\" or \"layers\", not with \"" +
                        std::string(to_string(options.rule)) + "\"");
  }
  if (options.neurons && !neurons_fit(population, options))
    throw InternalError("classes of neurons that do not fit the campaign");
}

/// The place of a listed fault, as far as it is one: its first element, and its model among the choices.
Place place_of(const Population& population, const Fault& fault) {
  Place place;
  for (size_t site = 0; site < population.sites().size(); ++site) {
    const Site& candidate = population.sites()[site];
    if (candidate.kind != fault.kind || candidate.name != fault.site) continue;
    place.site = static_cast<int64_t>(site);
    Draw unused(0);
    const std::vector<int64_t> shape = candidate.element_shape();
    place.element =
        element_offsets(resolve(fault.location, shape, candidate.channel_axis, unused), shape).at(0);
  }
  const std::vector<std::string>& texts = population.choice_texts();
  const auto choice = std::find(texts.begin(), texts.end(), fault.model->text());
  if (choice != texts.end()) place.choice = choice - texts.begin();
  return place;
}

size_t stratum_at(const Shares& shares, Draw& draw) {
  const uint64_t mark = draw.below(shares.ends.back());
  return static_cast<size_t>(std::upper_bound(shares.ends.begin(), shares.ends.end(), mark) -
                             shares.ends.begin());
}

}  // namespace

Shares Shares::of(const std::vector<double>& probabilities) {
  const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  Shares shares;
  uint64_t end = 0;
  for (const double probability : probabilities) {
    end += static_cast<uint64_t>(std::max(1.0, std::floor(probability / sum * kUnits)));
    shares.ends.push_back(end);
  }
  return shares;
}

bool neurons_fit(const Population& population, const SamplingOptions& options) {
  const NeuronClasses& neurons = *options.neurons;
  const int64_t inputs =
      options.eligible.empty() ? options.inputs : static_cast<int64_t>(options.eligible.size());
  if (options.rule != DrawRule::stratified || options.inputs_in_turn) return false;
  if (neurons.inputs() != inputs || neurons.sites() != population.sites().size()) return false;
  for (size_t site = 0; site < population.sites().size(); ++site) {
    if (neurons.values(site) != population.sites()[site].numel()) return false;
  }
  return true;
}

Sampler::Sampler(Population population, SamplingOptions options)
    : population_(std::move(population)),
      strata_(population_, options.neurons),
      options_(std::move(options)) {
  check_options(population_, options_);
  for (const std::vector<Fault>& line : options_.list)
    list_places_.push_back(place_of(population_, line.at(0)));
}

int64_t Sampler::eligible_inputs() const {
  return options_.eligible.empty() ? options_.inputs : static_cast<int64_t>(options_.eligible.size());
}

int64_t Sampler::input(int64_t position) const {
  return options_.eligible.empty() ? position : options_.eligible[static_cast<size_t>(position)];
}

std::optional<int64_t> Sampler::trials() const {
  if (options_.rule == DrawRule::list) return eligible_inputs() * static_cast<int64_t>(options_.list.size());
  if (options_.rule != DrawRule::exhaustive) return std::nullopt;
  const auto inputs = static_cast<uint64_t>(eligible_inputs());
  if (population_.size() > std::numeric_limits<int64_t>::max() / inputs)
    return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(population_.size() * inputs);
}

Sampler::Located Sampler::locate(int64_t trial, const Shares& shares, Draw& draw) const {
  const int64_t inputs = eligible_inputs();
  Located located;
  if (options_.rule == DrawRule::list) {
    located.input = input(trial % inputs);
    located.place = list_places_[static_cast<size_t>(trial / inputs)];
    return located;
  }
  if (options_.rule == DrawRule::exhaustive) {
    const auto size = static_cast<int64_t>(population_.size());
    located.input = input(trial / size);
    located.place = population_.at(static_cast<uint64_t>(trial % size));
    return located;
  }
  if (options_.neurons) {
    located.stratum = stratum_at(shares, draw);
    const Strata::Pair pair = strata_.draw_pair(located.stratum, draw);
    located.input = pair.input;
    located.place = pair.place;
    return located;
  }
  located.input =
      input(options_.inputs_in_turn ? trial % inputs
                                    : static_cast<int64_t>(draw.below(static_cast<uint64_t>(inputs))));
  if (options_.rule == DrawRule::stratified) {
    located.stratum = stratum_at(shares, draw);
    located.place = strata_.draw(population_, located.stratum, draw);
  } else if (options_.faults_per_trial == 0) {
    located.place = population_.draw_at(0, draw);
  } else {
    located.place = population_.draw(draw);
  }
  return located;
}

Sampler::Located Sampler::locate(int64_t trial, const Shares& shares) const {
  Draw draw(options_.seed, static_cast<uint64_t>(trial));
  return locate(trial, shares, draw);
}

Sampler::Drawn Sampler::draw(int64_t number, const Shares& shares) const {
  Draw draw(options_.seed, static_cast<uint64_t>(number));
  Drawn drawn{locate(number, shares, draw), {}};
  drawn.trial.number = static_cast<uint64_t>(number);
  drawn.trial.input = drawn.located.input;
  std::vector<Fault>& faults = drawn.trial.faults;
  if (options_.rule == DrawRule::list) {
    faults = options_.list[static_cast<size_t>(number / eligible_inputs())];
    return drawn;
  }
  faults.push_back(population_.fault(drawn.located.place, draw));
  const bool one_a_site = options_.faults_per_trial == 0;
  const int64_t count =
      one_a_site ? static_cast<int64_t>(population_.sites().size()) : options_.faults_per_trial;
  for (int64_t i = 1; i < count; ++i) {
    const Place place = one_a_site ? population_.draw_at(i, draw) : population_.draw(draw);
    faults.push_back(population_.fault(place, draw));
  }
  return drawn;
}

}  // namespace faultwave
