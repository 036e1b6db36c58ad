// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "faultwave/interval.h"
#include "faultwave/store.h"

namespace faultwave {

/// How often each criterion fired, over some of the trials.
struct RateGroup {
  Tally tally;
  std::vector<Interval> rates;  ///< one a criterion
};

/// What a campaign found so far.
struct Summary {
  CampaignInfo info;
  RateGroup overall;
  std::vector<RateGroup> layers;  ///< one a site, in the order of CampaignInfo::sites
};

/// Intervals are those of Clopper and Pearson at the campaign's confidence: exact, as its number of trials is
/// fixed beforehand and each trial is drawn independently.
Summary summarize(const Store& store);

/// The table that `faultwave run` ends with: what the numbers are of, the rates over all, and by layer with
/// the worst by the first criterion first. `most_layers` 0 means all.
std::string text_report(const Summary& summary, size_t most_layers = 0);

/// `{"trials": n, "classes": {...}, "outcomes": {"top1": {"count", "estimate", "low", "high", "confidence"},
/// ...}, "layers": [...], "campaign": {...}}`; layers in execution order, those that no trial fell on
/// included.
std::string json_report(const Summary& summary);

/// One row a recorded trial, ascending, under one row of names; columns in docs/campaigns.md. The same bytes
/// for the same campaign whatever interrupted it.
void write_csv(const Store& store, std::ostream& out);

/// `{"criteria": [...], "trials": [...]}`, one trial a line, its keys named as the columns of the CSV file.
void write_json(const Store& store, std::ostream& out);

}  // namespace faultwave
