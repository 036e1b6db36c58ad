// SPDX-License-Identifier: Apache-2.0
#include "faultwave/neuron_classes.h"

#include <algorithm>
#include <utility>

#include "faultwave/error.h"

namespace faultwave {
namespace {

// Values of a block, whose classes are counted beforehand: few enough to look through one by one.
constexpr int64_t kBlock = 512;

int class_at(const NeuronClasses::Packed& packed, int64_t element) {
  const uint8_t both = packed[static_cast<size_t>(element / 2)];
  return element % 2 == 0 ? both & 0xf : both >> 4;
}

template <typename Counts>
int64_t sum_of(const Counts& counts, NeuronClasses::Set classes) {
  int64_t sum = 0;
  for (int number = 0; number < NeuronClasses::kMost; ++number) {
    if (NeuronClasses::holds(classes, number)) sum += counts[static_cast<size_t>(number)];
  }
  return sum;
}

/// The last position in [first, end) whose count of what comes before is at most `number`.
template <typename CountBefore>
int64_t last_at_most(int64_t first, int64_t end, int64_t number, CountBefore count_before) {
  int64_t low = first;
  while (end - low > 1) {
    const int64_t middle = (low + end) / 2;
    (count_before(middle) <= number ? low : end) = middle;
  }
  return low;
}

}  // namespace

NeuronClasses::NeuronClasses(std::vector<int64_t> values)
    : values_(std::move(values)), totals_(values_.size(), Counts{}) {}

NeuronClasses::Packed NeuronClasses::pack(const std::vector<uint8_t>& classes) {
  Packed packed((classes.size() + 1) / 2);
  for (size_t i = 0; i < classes.size(); ++i) {
    const int shift = i % 2 == 0 ? 0 : 4;
    packed[i / 2] = static_cast<uint8_t>(packed[i / 2] | (classes[i] & 0xf) << shift);
  }
  return packed;
}

void NeuronClasses::add_input(int64_t number, int level, std::vector<Packed> sites) {
  if (sites.size() != values_.size()) throw InternalError("classes for another number of sites");
  if (level < levels() - 1) throw InternalError("an input of a level below the last");
  Input input{.number = number, .level = level, .sites = std::vector<SiteClasses>(sites.size())};
  for (size_t site = 0; site < sites.size(); ++site) {
    if (static_cast<int64_t>(sites[site].size()) != (values_[site] + 1) / 2)
      throw InternalError("classes for another number of values");
    SiteClasses& added = input.sites[site];
    added.packed = std::move(sites[site]);
    added.before_input = totals_[site];
    BlockCounts counts{};
    for (int64_t element = 0; element < values_[site]; ++element) {
      if (element % kBlock == 0) added.before.push_back(counts);
      ++counts[static_cast<size_t>(class_at(added.packed, element))];
    }
    added.before.push_back(counts);
    for (size_t i = 0; i < counts.size(); ++i)
      totals_[site][i] += counts[i];
  }
  inputs_.push_back(std::move(input));
}

int64_t NeuronClasses::position(int64_t number) const {
  const auto found = std::find_if(inputs_.begin(), inputs_.end(),
                                  [&](const Input& input) { return input.number == number; });
  if (found == inputs_.end()) throw InternalError("an input without classes of neurons");
  return found - inputs_.begin();
}

int64_t NeuronClasses::first_of_level(int level) const {
  return std::partition_point(inputs_.begin(), inputs_.end(),
                              [&](const Input& input) { return input.level < level; }) -
         inputs_.begin();
}

int NeuronClasses::of(int64_t position, size_t site, int64_t element) const {
  return class_at(packed(position, site), element);
}

int64_t NeuronClasses::count_before(int64_t position, size_t site, Set classes) const {
  return sum_of(position < inputs() ? at(position).sites[site].before_input : totals_[site], classes);
}

int64_t NeuronClasses::count(const Selection& selection) const {
  return count_before(selection.end, selection.site, selection.classes) -
         count_before(selection.first, selection.site, selection.classes);
}

NeuronClasses::Neuron NeuronClasses::pick(const Selection& selection, int64_t number) const {
  const size_t site = selection.site;
  const Set classes = selection.classes;
  number += count_before(selection.first, site, classes);
  Neuron picked;
  picked.position = last_at_most(selection.first, selection.end, number,
                                 [&](int64_t position) { return count_before(position, site, classes); });
  const SiteClasses& found = at(picked.position).sites[site];
  number -= sum_of(found.before_input, classes);
  const auto blocks = static_cast<int64_t>(found.before.size()) - 1;
  const int64_t block = last_at_most(0, blocks, number, [&](int64_t position) {
    return sum_of(found.before[static_cast<size_t>(position)], classes);
  });
  number -= sum_of(found.before[static_cast<size_t>(block)], classes);
  const int64_t last = std::min((block + 1) * kBlock, values_[site]);
  for (picked.element = block * kBlock; picked.element < last; ++picked.element) {
    if (holds(classes, class_at(found.packed, picked.element)) && number-- == 0) return picked;
  }
  throw InternalError("a neuron beyond those of its classes");
}

}  // namespace faultwave
