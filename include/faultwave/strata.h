// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "faultwave/neuron_classes.h"
#include "faultwave/population.h"

#pragma GCC visibility push(default)
namespace faultwave {

enum class BitKind : uint8_t;

/// A population cut into strata of layer and class of bit. FP32 has the classes sign, highest exponent bit
/// (30), next two, next two, lowest three exponent bits, three highest mantissa bits, the other mantissa
/// bits; other floating-point types likewise. Choices of other models, and bits of integers, are classes of
/// their own, but for the lowest of words of more than eight, which are one.
///
/// Where classes of neurons are given, a class of bit is cut further by the victim's value and the level of
/// the input (neuron_groups.h), parts without any neuron left out. Weights are exact: shares of the
/// population's bits, over all inputs.
///
/// A stratum holds every pair of one of its choices and one of its neurons, of one site. Immutable and
/// thread-safe.
class Strata {
 public:
  /// `neurons`: of the population's sites, on all inputs that are drawn from; null for none.
  explicit Strata(const Population& population, std::shared_ptr<const NeuronClasses> neurons = nullptr);

  size_t size() const { return strata_.size(); }
  double weight(size_t stratum) const { return strata_[stratum].weight; }
  /// "output:conv1 top exponent", or "output:conv1 top exponent, 0 < value < 1".
  const std::string& name(size_t stratum) const { return strata_[stratum].name; }
  int64_t site(size_t stratum) const { return strata_[stratum].site; }
  /// The choices of the site that it holds: first to last, without a gap.
  int64_t first_choice(size_t stratum) const { return strata_[stratum].first_choice; }
  int64_t choices(size_t stratum) const { return strata_[stratum].choices; }
  /// Strata of other sites with this number are likely alike: the same bits of like neurons.
  size_t kind(size_t stratum) const { return strata_[stratum].kind; }
  /// Its neurons on which inputs; only where neurons have classes.
  const NeuronClasses::Selection& neurons(size_t stratum) const { return strata_[stratum].neurons; }
  /// The levels of their inputs: so many from the first.
  int first_level(size_t stratum) const { return strata_[stratum].first_level; }
  int levels(size_t stratum) const { return strata_[stratum].levels; }
  /// How many pairs of neuron and input these are.
  int64_t pairs(size_t stratum) const { return strata_[stratum].pairs; }
  /// Null where neurons have no classes.
  const std::shared_ptr<const NeuronClasses>& classes() const { return classes_; }

  /// Which stratum a place lies in, on an input.
  size_t of(const Place& place, int64_t input = 0) const;

  /// A place, all of the stratum equally likely: draws element, then choice. Only without classes.
  Place draw(const Population& population, size_t stratum, Draw& draw) const;
  /// A place and an input, all such pairs of the stratum equally likely: draws one number for neuron and
  /// input, then the choice. Only with classes.
  struct Pair {
    int64_t input = 0;
    Place place;
  };
  Pair draw_pair(size_t stratum, Draw& draw) const;

 private:
  struct Stratum {
    std::string name;
    int64_t site = 0;
    int64_t first_choice = 0;
    int64_t choices = 0;
    double weight = 0;
    size_t kind = 0;
    NeuronClasses::Selection neurons{};
    int first_level = 0;
    int levels = 1;
    int64_t pairs = 0;
  };
  void cut(const Population& population, int level_groups);
  /// Adds the parts of a class of bit, and returns the kind that follows theirs.
  size_t add_groups(const Stratum& whole, BitKind bits, int level_groups);
  int64_t draw_choice(const Stratum& stratum, Draw& draw) const;

  std::vector<Stratum> strata_;
  std::vector<size_t> first_of_site_;  // position of each site's first stratum, and size() at the end
  std::shared_ptr<const NeuronClasses> classes_;
};

}  // namespace faultwave
#pragma GCC visibility pop
