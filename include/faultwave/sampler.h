// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/engine.h"
#include "faultwave/population.h"
#include "faultwave/strata.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// How often a round draws from each stratum: in whole units, so that a trial is the same on any machine.
struct Shares {
  std::vector<uint64_t> ends;  ///< sum of the units of strata 0..i; each stratum has at least 1

  /// `probabilities` rounded to units of 2^-32, none below one unit. They need not sum to 1.
  static Shares of(const std::vector<double>& probabilities);
  uint64_t units(size_t stratum) const { return ends[stratum] - (stratum == 0 ? 0 : ends[stratum - 1]); }
  double probability(size_t stratum) const {
    return static_cast<double>(units(stratum)) / static_cast<double>(ends.back());
  }
};

/// How the trials of a campaign are chosen.
struct SamplingOptions {
  DrawRule rule = DrawRule::bits;
  uint64_t seed = 0;
  int64_t inputs = 1;                      ///< how many there are
  std::vector<int64_t> eligible{};         ///< those to use; empty: all
  bool inputs_in_turn = false;             ///< input of trial k: number k modulo how many; else drawn
  int64_t faults_per_trial = 1;            ///< 0: one in each site
  std::vector<std::vector<Fault>> list{};  ///< for DrawRule::list: the faults of each line
  /// For DrawRule::stratified: classes of the population's neurons on all inputs to use; null for strata of
  /// layer and bit alone.
  std::shared_ptr<const NeuronClasses> neurons{};
};

/// Whether `options.neurons` are of the population's sites, and of the inputs that are drawn from, at random.
bool neurons_fit(const Population& population, const SamplingOptions& options);

/// Chooses trials: trial k is a function of options, shares of its round, and k alone.
///
/// Draw(seed, k) gives, in this order: input (unless in turn), stratum (for stratified), then for each fault
/// site (unless the stratum or one-in-each-site fixes it), element, choice, and the key of continuous draws.
/// With classes of neurons: stratum, one number for neuron and input, choice, key.
/// Exhaustive trials and those of a list draw keys only: trial k is place k modulo the population's size at
/// input k / size; line k / inputs at input k modulo inputs. Immutable and thread-safe.
class Sampler {
 public:
  /// Throws UserError(usage) for options that exclude each other.
  Sampler(Population population, SamplingOptions options);

  /// Where a trial's first fault lies, without the cost of making it.
  struct Located {
    int64_t input = 0;
    Place place;
    size_t stratum = 0;
  };
  /// `shares` is that of the trial's round for DrawRule::stratified, and ignored otherwise.
  Located locate(int64_t trial, const Shares& shares) const;
  struct Drawn {
    Located located;
    Trial trial;
  };
  Drawn draw(int64_t trial, const Shares& shares) const;

  /// Trials there are in all for exhaustive sampling and lists; empty where they never end.
  std::optional<int64_t> trials() const;

  const Population& population() const { return population_; }
  const Strata& strata() const { return strata_; }
  const SamplingOptions& options() const { return options_; }
  int64_t eligible_inputs() const;

 private:
  int64_t input(int64_t position) const;
  Located locate(int64_t trial, const Shares& shares, Draw& draw) const;

  Population population_;
  Strata strata_;
  SamplingOptions options_;
  std::vector<Place> list_places_;  // of the first fault of each line
};

}  // namespace faultwave
#pragma GCC visibility pop
