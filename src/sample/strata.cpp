// SPDX-License-Identifier: Apache-2.0
#include "faultwave/strata.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "faultwave/error.h"

#include "src/fault/victim_context.h"
#include "src/sample/neuron_groups.h"

namespace faultwave {
namespace {

/// A class of bits: how many, from the lowest up.
struct BitClass {
  std::string name;
  int64_t bits = 0;
  BitKind kind = BitKind::other;
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

void add(std::vector<BitClass>& classes, const char* name, int64_t bits, BitKind kind = BitKind::other) {
  if (bits > 0) classes.push_back({name, bits, kind});
}

/// The higher a bit of the exponent, the more it does, by orders of magnitude; one stratum that mixes them
/// would have a large variance.
std::vector<BitClass> floating_classes(const Fields& fields) {
  constexpr int64_t kHighMantissa = 3;
  const int64_t high_exponent = std::min<int64_t>(fields.exponent - 1, 2);
  const int64_t middle_exponent = std::min<int64_t>(fields.exponent - 1 - high_exponent, 2);
  const int64_t low_exponent = fields.exponent - 1 - high_exponent - middle_exponent;
  std::vector<BitClass> classes;
  add(classes, "low mantissa", fields.mantissa - kHighMantissa, BitKind::low);
  add(classes, "high mantissa", kHighMantissa, BitKind::low);
  add(classes, "low exponent", low_exponent, BitKind::exponent);
  add(classes, "middle exponent", middle_exponent, BitKind::exponent);
  add(classes, "high exponent", high_exponent, BitKind::exponent);
  add(classes, "top exponent", 1, BitKind::top_exponent);
  add(classes, "sign", 1, BitKind::sign);
  return classes;
}

/// Whether words of the format are laid out as values of the type.
bool is_layout_of(const std::string& format, at::ScalarType dtype) {
  return format.empty() || (format == "fp16" && dtype == at::kHalf) ||
         (format == "bf16" && dtype == at::kBFloat16);
}

/// Whether the choices change one bit each, from the lowest up, of all bits of a site's values.
bool are_bits_of_values(const std::vector<ErrorModelPtr>& choices, const Site& site) {
  if (static_cast<int64_t>(choices.size()) != site.bits()) return false;
  for (size_t i = 0; i < choices.size(); ++i) {
    const std::optional<BitChange> change = choices[i]->bit_change();
    if (!change || change->bit != static_cast<int>(i) || !is_layout_of(change->format, site.dtype))
      return false;
  }
  return true;
}

std::vector<BitClass> classes_of(const Site& site, int64_t choices, bool are_bits,
                                 const std::vector<std::string>& texts) {
  const Fields fields = fields_of(site.dtype);
  if (fields.exponent > 0 && are_bits) return floating_classes(fields);
  constexpr int64_t kAlone = 8;
  std::vector<BitClass> classes;
  const int64_t lowest = std::max<int64_t>(choices - kAlone, 0);
  add(classes, "low bits", lowest, BitKind::low);
  for (int64_t choice = lowest; choice < choices; ++choice) {
    const BitKind kind = choice < choices / 2 ? BitKind::low : BitKind::other;
    add(classes, texts[static_cast<size_t>(choice)].c_str(), 1, kind);
  }
  return classes;
}

}  // namespace

Strata::Strata(const Population& population, std::shared_ptr<const NeuronClasses> neurons)
    : classes_(std::move(neurons)) {
  // As many groups of levels as keep the strata few enough to be decided about round by round.
  constexpr size_t kMostStrata = 2000;
  const int most = classes_ ? classes_->levels() : 1;
  for (int groups = most; groups > 0; --groups) {
    cut(population, groups);
    if (strata_.size() <= kMostStrata) return;
  }
}

void Strata::cut(const Population& population, int level_groups) {
  strata_.clear();
  first_of_site_.clear();
  std::map<at::ScalarType, bool> are_bits;  // by type of value
  for (size_t site = 0; site < population.sites().size(); ++site) {
    const Site& place = population.sites()[site];
    const int64_t choices = population.choices(site);
    const std::string name = std::string(to_string(place.kind)) + ":" + place.name;
    first_of_site_.push_back(strata_.size());
    int64_t first = 0;
    size_t kind = 0;
    const auto [known, is_new] = are_bits.try_emplace(place.dtype);
    if (is_new) known->second = are_bits_of_values(population.model()->choices(context_of(place)), place);
    for (const BitClass& bits : classes_of(place, choices, known->second, population.choice_texts())) {
      const double share = static_cast<double>(bits.bits) / static_cast<double>(choices);
      Stratum whole{.name = name + " " + bits.name,
                    .site = static_cast<int64_t>(site),
                    .first_choice = first,
                    .choices = bits.bits,
                    .weight = population.probability(site) * share,
                    .kind = kind++,
                    .neurons = {.site = site}};
      first += bits.bits;
      if (classes_) {
        kind = add_groups(whole, bits.kind, level_groups);
      } else {
        strata_.push_back(std::move(whole));
      }
    }
  }
  first_of_site_.push_back(strata_.size());
}

size_t Strata::add_groups(const Stratum& whole, BitKind bits, int level_groups) {
  const int64_t inputs = classes_->inputs();
  const double all = static_cast<double>(classes_->values(whole.neurons.site)) * static_cast<double>(inputs);
  const int levels = classes_->levels();
  const int parts = depends_on_level(bits) ? std::min(level_groups, levels) : 1;
  size_t kind = whole.kind;
  for (const NeuronGroup& group : neuron_groups(bits)) {
    for (int i = 0; i < parts; ++i) {
      Stratum part = whole;
      part.kind = kind++;
      part.neurons.classes = group.classes;
      part.first_level = i * levels / parts;
      part.levels = (i + 1) * levels / parts - part.first_level;
      part.neurons.first = classes_->first_of_level(part.first_level);
      part.neurons.end = classes_->first_of_level(part.first_level + part.levels);
      part.pairs = classes_->count(part.neurons);
      if (part.pairs == 0) continue;
      if (!group.name.empty()) part.name += ", " + group.name;
      if (parts > 1) part.name += ", margin " + std::to_string(i + 1) + "/" + std::to_string(parts);
      part.weight *= static_cast<double>(part.pairs) / all;
      strata_.push_back(std::move(part));
    }
  }
  return kind;
}

size_t Strata::of(const Place& place, int64_t input) const {
  const auto site = static_cast<size_t>(place.site);
  const int64_t position = classes_ ? classes_->position(input) : 0;
  const int number = classes_ ? classes_->of(position, site, place.element) : 0;
  for (size_t i = first_of_site_[site]; i < first_of_site_[site + 1]; ++i) {
    const Stratum& stratum = strata_[i];
    const bool has_choice =
        place.choice >= stratum.first_choice && place.choice < stratum.first_choice + stratum.choices;
    const NeuronClasses::Selection& neurons = stratum.neurons;
    const bool has_neuron = !classes_ || (NeuronClasses::holds(neurons.classes, number) &&
                                          position >= neurons.first && position < neurons.end);
    if (has_choice && has_neuron) return i;
  }
  throw InternalError("a place outside of all strata");
}

int64_t Strata::draw_choice(const Stratum& stratum, Draw& draw) const {
  if (stratum.choices == 1) return stratum.first_choice;
  return stratum.first_choice + static_cast<int64_t>(draw.below(static_cast<uint64_t>(stratum.choices)));
}

Place Strata::draw(const Population& population, size_t stratum, Draw& draw) const {
  const Stratum& chosen = strata_[stratum];
  const Site& site = population.sites()[static_cast<size_t>(chosen.site)];
  Place place{.site = chosen.site};
  place.element = static_cast<int64_t>(draw.below(static_cast<uint64_t>(site.numel())));
  place.choice = draw_choice(chosen, draw);
  return place;
}

Strata::Pair Strata::draw_pair(size_t stratum, Draw& draw) const {
  const Stratum& chosen = strata_[stratum];
  const auto number = static_cast<int64_t>(draw.below(static_cast<uint64_t>(chosen.pairs)));
  const NeuronClasses::Neuron neuron = classes_->pick(chosen.neurons, number);
  Pair pair{.input = classes_->number(neuron.position),
            .place = {.site = chosen.site, .element = neuron.element}};
  pair.place.choice = draw_choice(chosen, draw);
  return pair;
}

}  // namespace faultwave
