// SPDX-License-Identifier: Apache-2.0
#include "faultwave/strata.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <utility>

namespace faultwave {
namespace {

/// A class of bits: how many, from the lowest up.
struct BitClass {
  std::string name;
  int64_t bits = 0;
};

/// Widths of the two fields of a floating-point word.
struct Fields {
  int64_t exponent = 0;
  int64_t mantissa = 0;
};

Fields fields_of(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return {11, 52};
    case at::kFloat:
      return {8, 23};
    case at::kHalf:
      return {5, 10};
    case at::kBFloat16:
      return {8, 7};
    default:
      return {};
  }
}

void add(std::vector<BitClass>& classes, const char* name, int64_t bits) {
  if (bits > 0) classes.push_back({name, bits});
}

/// The higher a bit of the exponent, the more it does, by orders of magnitude; one stratum that mixes them
/// would have a large variance.
std::vector<BitClass> floating_classes(const Fields& fields) {
  constexpr int64_t kHighMantissa = 3;
  const int64_t high_exponent = std::min<int64_t>(fields.exponent - 1, 2);
  const int64_t middle_exponent = std::min<int64_t>(fields.exponent - 1 - high_exponent, 2);
  const int64_t low_exponent = fields.exponent - 1 - high_exponent - middle_exponent;
  std::vector<BitClass> classes;
  add(classes, "low mantissa", fields.mantissa - kHighMantissa);
  add(classes, "high mantissa", kHighMantissa);
  add(classes, "low exponent", low_exponent);
  add(classes, "middle exponent", middle_exponent);
  add(classes, "high exponent", high_exponent);
  add(classes, "top exponent", 1);
  add(classes, "sign", 1);
  return classes;
}

std::vector<BitClass> classes_of(const Site& site, int64_t choices, const std::vector<std::string>& texts) {
  const Fields fields = fields_of(site.dtype);
  if (fields.exponent > 0 && choices == site.bits()) return floating_classes(fields);
  constexpr int64_t kAlone = 8;
  std::vector<BitClass> classes;
  const int64_t lowest = std::max<int64_t>(choices - kAlone, 0);
  add(classes, "low bits", lowest);
  for (int64_t choice = lowest; choice < choices; ++choice)
    classes.push_back({texts[static_cast<size_t>(choice)], 1});
  return classes;
}

}  // namespace

Strata::Strata(const Population& population) {
  for (size_t site = 0; site < population.sites().size(); ++site) {
    const Site& place = population.sites()[site];
    const int64_t choices = population.choices(site);
    const std::string name = std::string(to_string(place.kind)) + ":" + place.name;
    first_of_site_.push_back(strata_.size());
    int64_t first = 0;
    for (const BitClass& bits : classes_of(place, choices, population.choice_texts())) {
      const double share = static_cast<double>(bits.bits) / static_cast<double>(choices);
      strata_.push_back({name + " " + bits.name, static_cast<int64_t>(site), first, bits.bits,
                         population.probability(site) * share});
      first += bits.bits;
    }
  }
  first_of_site_.push_back(strata_.size());
}

size_t Strata::of(const Place& place) const {
  const auto site = static_cast<size_t>(place.site);
  size_t stratum = first_of_site_[site];
  while (stratum + 1 < first_of_site_[site + 1] && strata_[stratum + 1].first_choice <= place.choice)
    ++stratum;
  return stratum;
}

Place Strata::draw(const Population& population, size_t stratum, Draw& draw) const {
  const Stratum& chosen = strata_[stratum];
  const Site& site = population.sites()[static_cast<size_t>(chosen.site)];
  Place place{.site = chosen.site};
  place.element = static_cast<int64_t>(draw.below(static_cast<uint64_t>(site.numel())));
  place.choice = chosen.first_choice;
  if (chosen.choices > 1)
    place.choice += static_cast<int64_t>(draw.below(static_cast<uint64_t>(chosen.choices)));
  return place;
}

}  // namespace faultwave
