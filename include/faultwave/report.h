// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faultwave/estimates.h"
#include "faultwave/interval.h"
#include "faultwave/store.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// How often each criterion fired, over some of the trials.
struct RateGroup {
  std::string name;             ///< "(all)", "output:conv1", "flip(30)", "class 3", ...
  Tally tally;                  ///< counts as drawn; in a stratified campaign they are not of equal weight
  std::vector<Interval> rates;  ///< one a criterion, weighted
  Interval crash{};             ///< how often a run crashed, likewise
  Interval hang{};              ///< how often it did not end in its time
};

/// What a table is by.
enum class GroupBy : uint8_t {
  layer,         ///< site, in execution order
  bit,           ///< alternative of the error model: which bit
  channel,       ///< feature map of a site; sites without feature maps count as one
  golden_class,  ///< golden top class of the input
  input,
};
/// "layer", "bit", "channel", "class", "input"; the inverse throws UserError(usage).
std::string_view to_string(GroupBy by);
GroupBy parse_group_by(std::string_view text);

/// How often the top class is the label.
struct Accuracy {
  int64_t inputs = 0;        ///< that trials ran on, each counted once
  int64_t golden_right = 0;  ///< of these
  Interval lost;             ///< trials in which a right answer became wrong, over the population
  Interval won;              ///< and a wrong one right

  double golden() const { return static_cast<double>(golden_right) / static_cast<double>(inputs); }
  /// Golden, less what trials lost, and what they won: which inputs they happened to fall on cancels out.
  double faulty() const { return std::clamp(golden() - lost.estimate + won.estimate, 0.0, 1.0); }
};

/// What a campaign found so far.
struct Summary {
  CampaignInfo info;
  IntervalKind interval = IntervalKind::binomial;
  std::string ended;   ///< as Store::ended
  std::string engine;  ///< as specified
  EngineCounts counts{};
  bool has_layers = true;  ///< false where a trial has several faults, which lie in several layers
  RateGroup overall;
  std::optional<Accuracy> accuracy;  ///< with labels, once trials are done
  GroupBy by = GroupBy::layer;
  std::vector<RateGroup> groups;  ///< in their natural order; for layers and bits those without trials too
};

/// Intervals are at the campaign's confidence, of the kind that fits how it was sampled. By layer and bit it
/// takes milliseconds whatever the size of the campaign; by anything else all trials are walked, about a
/// second for two million.
Summary summarize(const Store& store, GroupBy by = GroupBy::layer);

/// The table that `faultwave run` ends with: what the numbers are of, the rates over all, and by layer (or
/// what the summary is by) with the worst first: by the lower end of the interval of the first criterion.
/// `most` 0 means all. `width`: columns of text to fit in, 0 for as wide as it gets; criteria that do not fit
/// side by side come below each other.
std::string text_report(const Summary& summary, size_t most = 0, size_t width = 0);

/// `{"trials": n, "classes": {...}, "outcomes": {"top1": {"count", "estimate", "low", "high", "confidence"},
/// ..., "crash": {...}, "hang": {...}}, "layers": [...], "campaign": {...}}`; layers in execution order,
/// those that no trial fell on included. By anything else there is a list under that name in place of layers.
std::string json_report(const Summary& summary);

/// One row a recorded trial, ascending, under one row of names; columns in docs/campaigns.md. The same bytes
/// for the same campaign whatever interrupted it.
void write_csv(const Store& store, std::ostream& out);

/// `{"criteria": [...], "trials": [...]}`, one trial a line, its keys named as the columns of the CSV file.
void write_json(const Store& store, std::ostream& out);

}  // namespace faultwave
#pragma GCC visibility pop
