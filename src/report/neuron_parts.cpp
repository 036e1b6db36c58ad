// SPDX-License-Identifier: Apache-2.0
#include "src/report/neuron_parts.h"

namespace faultwave {

int64_t channel_of(const StoredSite& site, int64_t element) {
  if (site.channel_axis < 0) return 0;
  int64_t below = 1;
  for (size_t d = static_cast<size_t>(site.channel_axis) + 1; d < site.shape.size(); ++d)
    below *= site.shape[d];
  return element / below % site.shape[static_cast<size_t>(site.channel_axis)];
}

int64_t class_of(const std::map<int64_t, int64_t>& classes, int64_t input) {
  const auto found = classes.find(input);
  return found == classes.end() ? -1 : found->second;
}

std::vector<double> NeuronParts::of(GroupBy by, const Key& key) {
  if (!strata_.classes()) return {};
  if (by == GroupBy::channel) return of_channel(key.first, key.second);
  if (by == GroupBy::input) return of_inputs({strata_.classes()->position(key.second)});
  std::vector<int64_t> positions;
  for (int64_t position = 0; position < strata_.classes()->inputs(); ++position) {
    if (class_of(golden_classes_, strata_.classes()->number(position)) == key.second)
      positions.push_back(position);
  }
  return of_inputs(positions);
}

std::vector<double> NeuronParts::of_inputs(const std::vector<int64_t>& positions) const {
  std::vector<double> parts(strata_.size(), 0.0);
  for (size_t h = 0; h < strata_.size(); ++h) {
    int64_t within = 0;
    for (const int64_t position : positions) {
      NeuronClasses::Selection one = strata_.neurons(h);
      if (position < one.first || position >= one.end) continue;
      one.first = position;
      one.end = position + 1;
      within += strata_.classes()->count(one);
    }
    parts[h] = static_cast<double>(within) / static_cast<double>(strata_.pairs(h));
  }
  return parts;
}

size_t NeuronParts::place_of(int64_t channel, int level) const {
  return static_cast<size_t>((channel * strata_.classes()->levels() + level) * NeuronClasses::kMost);
}

std::vector<double> NeuronParts::of_channel(int64_t site, int64_t channel) {
  if (counted_ != site) count_channels(site);
  std::vector<double> parts(strata_.size(), 0.0);
  for (size_t h = 0; h < strata_.size(); ++h) {
    if (strata_.site(h) != site) continue;
    int64_t within = 0;
    for (int level = strata_.first_level(h); level < strata_.first_level(h) + strata_.levels(h); ++level) {
      for (int number = 0; number < NeuronClasses::kMost; ++number) {
        if (NeuronClasses::holds(strata_.neurons(h).classes, number))
          within += counts_[place_of(channel, level) + static_cast<size_t>(number)];
      }
    }
    parts[h] = static_cast<double>(within) / static_cast<double>(strata_.pairs(h));
  }
  return parts;
}

void NeuronParts::count_channels(int64_t site) {
  const auto number = static_cast<size_t>(site);
  const StoredSite& stored = info_.sites[number];
  const NeuronClasses& classes = *strata_.classes();
  const int64_t channels =
      stored.channel_axis < 0 ? 1 : stored.shape[static_cast<size_t>(stored.channel_axis)];
  counted_ = site;
  counts_.assign(place_of(channels, 0), 0);
  for (int64_t element = 0; element < classes.values(number); ++element) {
    const int64_t channel = channel_of(stored, element);
    for (int64_t position = 0; position < classes.inputs(); ++position) {
      const auto neuron = static_cast<size_t>(classes.of(position, number, element));
      ++counts_[place_of(channel, classes.level(position)) + neuron];
    }
  }
}

}  // namespace faultwave
