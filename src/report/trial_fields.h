// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/store.h"

namespace faultwave {

/// One cell of an export: CSV writes its text, JSON its text with or without quotation marks.
struct TrialField {
  enum class Type { number, text, absent };
  Type type = Type::text;
  std::string text;
};

/// Names of the columns of an export: the criteria come last.
std::vector<std::string> trial_columns(const CampaignInfo& info);

/// The cells of one trial, in the order of the columns.
std::vector<TrialField> trial_fields(const CampaignInfo& info, const TrialRow& row);

}  // namespace faultwave
