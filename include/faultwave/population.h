// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "faultwave/error_model.h"
#include "faultwave/fault.h"
#include "faultwave/random.h"
#include "faultwave/site.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// How the faults of a campaign are chosen.
enum class DrawRule : uint8_t {
  bits,        ///< every bit of every value is as likely as any other
  layers,      ///< every site is as likely as any other, then every value of it (PyTorchFI's way)
  stratified,  ///< strata of layer and bit, drawn from as results ask for; rates are still those of `bits`
  exhaustive,  ///< every bit of every value of every input, once
  list,        ///< fault lines from a file, each on every input
};

/// One of the faults that a population holds: element and alternative of an error model at a site.
struct Place {
  int64_t site = 0;     ///< position in Population::sites()
  int64_t element = 0;  ///< row-major offset in the site's element shape
  int64_t choice = 0;   ///< which of ErrorModel::choices(); 0 where the model has none
};

/// The faults that a campaign draws from. Immutable and thread-safe.
class Population {
 public:
  /// `rule` gives the sites their weights: `layers` the same to each, any other their number of bits.
  /// Throws UserError(illegal_fault) if `sites` is empty or holds no values.
  Population(std::vector<Site> sites, DrawRule rule, ErrorModelPtr model);

  /// A place by the rule, all choices of a place equally likely. The order of draws is part of the file
  /// format of campaigns: site, element, choice.
  Place draw(Draw& draw) const;
  /// A place at a given site, by the same draws but the first.
  Place draw_at(int64_t site, Draw& draw) const;

  /// The fault at a place, everything discrete fixed; continuous draws get a key, drawn last.
  Fault fault(const Place& place, Draw& draw) const;

  const std::vector<Site>& sites() const { return sites_; }
  const ErrorModelPtr& model() const { return model_; }
  /// Probability that a draw falls on site `index`, under the rule.
  double probability(size_t index) const;
  /// In whole units, of which total_weight() make 1.
  uint64_t weight(size_t index) const {
    return cumulative_[index] - (index == 0 ? 0 : cumulative_[index - 1]);
  }
  uint64_t total_weight() const { return cumulative_.back(); }

  /// How many choices the error model has at a site, at least 1.
  int64_t choices(size_t site) const {
    return static_cast<int64_t>(std::max<size_t>(models_of(site).size(), 1));
  }
  /// The text of each choice, over all sites: "flip(0)", "flip(1)", ...; the model's own text where there is
  /// one alone.
  const std::vector<std::string>& choice_texts() const { return choice_texts_; }

  /// Whether places say all of a fault, so that there are finitely many.
  bool is_finite() const;
  /// Places in all: the sum over sites of values times choices.
  uint64_t size() const { return first_place_.back(); }
  /// Place `number` of size(): site by site, element by element, choice by choice.
  Place at(uint64_t number) const;

 private:
  const std::vector<ErrorModelPtr>& models_of(size_t site) const { return models_[model_set_[site]]; }

  std::vector<Site> sites_;
  std::vector<std::vector<int64_t>> shapes_;  // element shape of each site
  ErrorModelPtr model_;
  std::vector<std::vector<ErrorModelPtr>> models_;  // choices, one list a type of value
  std::vector<size_t> model_set_;                   // of each site, in models_
  std::vector<std::string> choice_texts_;
  std::vector<uint64_t> cumulative_;   // weight of sites 0..i
  std::vector<uint64_t> first_place_;  // number of the first place of each site, and size() at the end
};

/// "bits", "layers", "stratified", "exhaustive", "list".
std::string_view to_string(DrawRule rule);
/// The inverse; throws UserError(usage) naming the choices.
DrawRule parse_draw_rule(std::string_view text);

}  // namespace faultwave
#pragma GCC visibility pop
