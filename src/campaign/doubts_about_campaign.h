// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/campaign.h"
#include "faultwave/inputs.h"
#include "faultwave/specification.h"

#include "src/outcome/output_kind.h"

namespace faultwave {

/// CampaignParts::warnings, from parts with criteria and labels, the inputs, and golden outputs of the first.
std::vector<std::string> doubts_about_campaign(const Specification& specification, const CampaignParts& parts,
                                               const InputSet& inputs, const std::vector<Outputs>& golden);

}  // namespace faultwave
