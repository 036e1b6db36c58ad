// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faultwave/outcome.h"
#include "faultwave/sampler.h"
#include "faultwave/store.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// Results of a campaign by column, one entry a finished trial, ascending. Of trials without a row of their
/// own (Specification::keep), what the key and the outcome say; the rest is as where it says so.
struct TrialColumns {
  std::vector<int64_t> trial;
  std::vector<int64_t> input;
  std::vector<int64_t> site;       ///< position in CampaignInfo::sites
  std::vector<int64_t> choice;     ///< position in CampaignInfo::choices
  std::vector<std::string> fault;  ///< the fault line; "" without a row
  std::vector<double> value_before;
  std::vector<double> value_after;  ///< of the first value hit; NaN without a row
  std::vector<OutcomeClass> outcome;
  std::vector<uint32_t> fired;  ///< bit i: criterion i
  std::vector<int64_t> label;   ///< -1 where there is none; likewise below
  std::vector<int64_t> golden_class;
  std::vector<int64_t> faulty_class;
};

/// All finished trials. Draws them again by `sampler`, which is the campaign's (CampaignParts::sampler,
/// recorded_sampler()).
TrialColumns trial_columns(const Store& store, const Sampler& sampler);

}  // namespace faultwave
#pragma GCC visibility pop
