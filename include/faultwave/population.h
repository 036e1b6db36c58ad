// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "faultwave/error_model.h"
#include "faultwave/fault.h"
#include "faultwave/random.h"
#include "faultwave/site.h"

namespace faultwave {

/// How a random location is chosen.
enum class DrawRule : uint8_t {
  bits,    ///< every bit of every value is as likely as any other
  layers,  ///< every site is as likely as any other, then every value of it (PyTorchFI's way)
};

/// The places that a campaign draws from.
class Population {
 public:
  /// Throws UserError(illegal_fault) if `sites` is empty or holds no values.
  Population(std::vector<Site> sites, DrawRule rule);

  /// One fault at one element of one batch element, with everything discrete fixed: site, element, bit;
  /// continuous draws get a key. `draw` should be Draw(seed, trial number). The order of draws is part of the
  /// file format of campaigns: site, element, bit, key.
  Fault draw(const ErrorModelPtr& model, Draw& draw) const;

  const std::vector<Site>& sites() const { return sites_; }
  /// Probability that a draw falls on site `index`.
  double probability(size_t index) const;

 private:
  std::vector<Site> sites_;
  DrawRule rule_;
  std::vector<uint64_t> cumulative_;  // weight of sites 0..i: bits or 1
};

}  // namespace faultwave
