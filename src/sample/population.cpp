// SPDX-License-Identifier: Apache-2.0
#include "faultwave/population.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "faultwave/error.h"

#include "src/common/near_names.h"
#include "src/common/shape.h"
#include "src/fault/victim_context.h"

namespace faultwave {
namespace {

constexpr std::array<std::pair<DrawRule, const char*>, 5> kRules = {{
    {DrawRule::bits, "bits"},
    {DrawRule::layers, "layers"},
    {DrawRule::stratified, "stratified"},
    {DrawRule::exhaustive, "exhaustive"},
    {DrawRule::list, "list"},
}};

/// Position of the range that holds `mark`, where `ends` are the ends of consecutive ranges from 0.
size_t range_of(const std::vector<uint64_t>& ends, uint64_t mark) {
  return static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), mark) - ends.begin());
}

}  // namespace

Population::Population(std::vector<Site> sites, DrawRule rule, ErrorModelPtr model)
    : sites_(std::move(sites)), model_(std::move(model)) {
  std::erase_if(sites_, [](const Site& site) { return site.numel() == 0; });
  if (sites_.empty()) {
    throw UserError(
        ErrorCode::illegal_fault,
        "no site to draw from: no site of that kind and name holds values; `faultwave sites` lists them all");
  }
  std::map<at::ScalarType, size_t> set_of_type;
  uint64_t weight = 0;
  uint64_t places = 0;
  for (const Site& site : sites_) {
    const auto [known, is_new] = set_of_type.try_emplace(site.dtype, models_.size());
    if (is_new) models_.push_back(model_->choices(context_of(site)));
    model_set_.push_back(known->second);
    shapes_.push_back(site.element_shape());

    weight += rule == DrawRule::layers ? 1 : static_cast<uint64_t>(site.numel() * site.bits());
    cumulative_.push_back(weight);
    first_place_.push_back(places);
    places += static_cast<uint64_t>(site.numel() * choices(model_set_.size() - 1));
  }
  first_place_.push_back(places);

  // Lists of different types differ in length alone.
  const auto longest = std::max_element(models_.begin(), models_.end(),
                                        [](const auto& a, const auto& b) { return a.size() < b.size(); });
  for (const ErrorModelPtr& choice : *longest)
    choice_texts_.push_back(choice->text());
  if (choice_texts_.empty()) choice_texts_.push_back(model_->text());
}

double Population::probability(size_t index) const {
  return static_cast<double>(weight(index)) / static_cast<double>(total_weight());
}

Place Population::draw(Draw& draw) const {
  return draw_at(static_cast<int64_t>(range_of(cumulative_, draw.below(total_weight()))), draw);
}

Place Population::draw_at(int64_t site, Draw& draw) const {
  Place place{.site = site};
  const auto number = static_cast<size_t>(site);
  place.element = static_cast<int64_t>(draw.below(static_cast<uint64_t>(sites_[number].numel())));
  const std::vector<ErrorModelPtr>& models = models_of(number);
  if (!models.empty()) place.choice = static_cast<int64_t>(draw.below(models.size()));
  return place;
}

Fault Population::fault(const Place& place, Draw& draw) const {
  const auto number = static_cast<size_t>(place.site);
  const Site& site = sites_[number];
  Fault fault;
  fault.kind = site.kind;
  fault.site = site.name;
  fault.site_number = site.number;
  fault.location = Location::element(unravel(place.element, shapes_[number]));
  const std::vector<ErrorModelPtr>& models = models_of(number);
  if (!models.empty()) {
    fault.model = models[static_cast<size_t>(place.choice)];
  } else {
    const ErrorModelPtr resolved = model_->resolve(context_of(site), draw);
    fault.model = resolved ? resolved : model_;
  }
  if (fault.model->is_drawn()) fault.key = draw.bits32();
  return fault;
}

bool Population::is_finite() const {
  return !model_->is_drawn() ||
         std::none_of(models_.begin(), models_.end(), [](const auto& models) { return models.empty(); });
}

Place Population::at(uint64_t number) const {
  const size_t site = range_of(first_place_, number) - 1;
  const uint64_t within = number - first_place_[site];
  const auto each = static_cast<uint64_t>(choices(site));
  return {static_cast<int64_t>(site), static_cast<int64_t>(within / each),
          static_cast<int64_t>(within % each)};
}

std::string_view to_string(DrawRule rule) {
  for (const auto& [known, text] : kRules) {
    if (known == rule) return text;
  }
  throw InternalError("a rule of drawing without a name");
}

DrawRule parse_draw_rule(std::string_view text) {
  std::vector<std::string> names;
  for (const auto& [rule, name] : kRules) {
    if (text == name) return rule;
    names.emplace_back(name);
  }
  throw UserError(ErrorCode::usage, "unknown rule '" + std::string(text) +
                                        "': expected bits, layers, stratified, exhaustive or list" +
                                        did_you_mean(text, names));
}

}  // namespace faultwave
