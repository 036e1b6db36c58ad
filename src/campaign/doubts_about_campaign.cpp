// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/doubts_about_campaign.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "src/data/input_doubts.h"
#include "src/outcome/doubts.h"

namespace faultwave {
namespace {

bool is_right(const Outputs& golden, int64_t label) {
  if (class_count_of(golden) == 0) return false;
  const std::vector<RankedClass> top = top_classes(golden[0], 1);
  return !top.empty() && top[0].index == label;
}

/// Labels that say nothing of this network.
std::string about_labels(const std::vector<int64_t>& labels, const std::vector<Outputs>& golden) {
  if (labels.empty() || golden.empty()) return "";
  const int64_t classes = class_count_of(golden.front());
  if (classes == 0) return "there are labels, and the first output holds no scores: no accuracy can be told";
  if (std::string doubt = doubt_about_labels(labels, classes); !doubt.empty()) return doubt;
  for (size_t i = 0; i < std::min(golden.size(), labels.size()); ++i) {
    if (is_right(golden[i], labels[i])) return "";
  }
  return "the fault-free network is right on none of the " + std::to_string(golden.size()) +
         " inputs looked at: are labels and inputs those that it was trained for?";
}

}  // namespace

std::vector<std::string> doubts_about_campaign(const Specification& spec, const CampaignParts& parts,
                                               const InputSet& inputs, const std::vector<Outputs>& golden) {
  std::vector<std::string> doubts;
  if (!spec.input.empty()) doubts = doubts_about_files({spec.resolve(spec.input)}, spec.preprocess);
  const auto add = [&](std::string doubt) {
    if (!doubt.empty()) doubts.push_back(std::move(doubt));
  };
  add(doubt_about_values(inputs));
  for (std::string& doubt : doubts_about(golden, parts.criteria))
    add(std::move(doubt));
  add(about_labels(parts.labels, golden));
  return doubts;
}

}  // namespace faultwave
