// SPDX-License-Identifier: Apache-2.0
// What a database keeps of the extensions that its campaign uses, so that it can be read without them and
// goes on only with them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "faultwave/error_model.h"
#include "faultwave/outcome.h"
#include "faultwave/sampler.h"
#include "faultwave/store.h"

namespace faultwave {

/// CampaignInfo::extensions of a campaign: plugins that its error models, number formats and criteria come
/// from (name, version, fingerprint), and what else a report needs to know of an error model that not every
/// process knows. "" where there is nothing to say.
std::string describe_extensions(const Sampler& sampler, const std::vector<CriterionPtr>& criteria);

/// Throws UserError(mismatch) that names the plugin to load, unless this process has all of a campaign's, as
/// they were when it was begun. `where` is the database.
void check_plugins(const CampaignInfo& info, const std::string& where);

/// Throws UserError(mismatch) unless both have the same extensions.
void check_same_extensions(const CampaignInfo& recorded, const CampaignInfo& now, const std::string& where);

/// The error model of a campaign that is no list of fault lines, or what stands for it (RecordedModel).
ErrorModelPtr recorded_model(const CampaignInfo& info);

/// What each of CampaignInfo::choices changes. Throws UserError(usage) where that is not known here.
std::vector<std::optional<BitChange>> recorded_bit_changes(const CampaignInfo& info);

/// What cannot be told of trials without a row, and what to do about it, in one sentence; "" where all can:
/// the error model draws what this process does not know.
std::string missing_extension(const CampaignInfo& info);

}  // namespace faultwave
