// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "faultwave/report.h"
#include "faultwave/strata.h"

namespace faultwave {

/// The feature map of a value; 0 where a site has none.
int64_t channel_of(const StoredSite& site, int64_t element);

/// The golden top class of an input; -1 without scores.
int64_t class_of(const std::map<int64_t, int64_t>& classes, int64_t input);

/// Which part of each stratum an input, the inputs of a golden class, or a feature map makes: where strata go
/// by neurons it is not the same in all.
class NeuronParts {
 public:
  /// A site and a feature map of it, or no site (-1) and an input or golden class.
  using Key = std::pair<int64_t, int64_t>;

  /// All arguments must outlive this.
  NeuronParts(const Strata& strata, const CampaignInfo& info,
              const std::map<int64_t, int64_t>& golden_classes)
      : strata_(strata), info_(info), golden_classes_(golden_classes) {}

  /// Empty where strata do not go by neurons.
  std::vector<double> of(GroupBy by, const Key& key);

 private:
  std::vector<double> of_inputs(const std::vector<int64_t>& positions) const;
  std::vector<double> of_channel(int64_t site, int64_t channel);
  void count_channels(int64_t site);
  size_t place_of(int64_t channel, int level) const;

  const Strata& strata_;
  const CampaignInfo& info_;
  const std::map<int64_t, int64_t>& golden_classes_;
  int64_t counted_ = -1;         // the site whose feature maps are counted
  std::vector<int64_t> counts_;  // by feature map, level and class of neuron
};

}  // namespace faultwave
