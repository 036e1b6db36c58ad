// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faultwave/population.h"

namespace faultwave {

/// A population cut into strata of layer and class of bit. FP32 has the classes sign, highest exponent bit
/// (30), next two, next two, lowest three exponent bits, three highest mantissa bits, the other mantissa
/// bits; other floating-point types likewise. Choices of other models, and bits of integers, are classes of
/// their own, but for the lowest of words of more than eight, which are one. Weights are exact: shares of the
/// population's bits.
///
/// A cell is a pair of site and choice; strata are sets of cells of one site. Immutable and thread-safe.
class Strata {
 public:
  explicit Strata(const Population& population);

  size_t size() const { return strata_.size(); }
  double weight(size_t stratum) const { return strata_[stratum].weight; }
  /// "output:conv1 exponent 30", say.
  const std::string& name(size_t stratum) const { return strata_[stratum].name; }
  int64_t site(size_t stratum) const { return strata_[stratum].site; }
  /// The choices of the site that it holds: first to last, without a gap.
  int64_t first_choice(size_t stratum) const { return strata_[stratum].first_choice; }
  int64_t choices(size_t stratum) const { return strata_[stratum].choices; }

  /// Which stratum a place lies in.
  size_t of(const Place& place) const;
  /// A place, all of the stratum equally likely: draws element, then choice.
  Place draw(const Population& population, size_t stratum, Draw& draw) const;

 private:
  struct Stratum {
    std::string name;
    int64_t site = 0;
    int64_t first_choice = 0;
    int64_t choices = 0;
    double weight = 0;
  };
  std::vector<Stratum> strata_;
  std::vector<size_t> first_of_site_;  // position of each site's first stratum, and size() at the end
};

}  // namespace faultwave
