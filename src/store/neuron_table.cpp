// SPDX-License-Identifier: Apache-2.0
#include "src/store/neuron_table.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "faultwave/error.h"

namespace faultwave {
namespace {

constexpr double kRounding = 1e-9;

std::vector<int64_t> values_of(const CampaignInfo& info) {
  std::vector<int64_t> values;
  for (const StoredSite& site : info.sites)
    values.push_back(site.values);
  return values;
}

std::vector<NeuronClasses::Packed> read_sites(Statement& select, int64_t position) {
  std::vector<NeuronClasses::Packed> sites;
  select.bind(position);
  while (select.step())
    sites.push_back(select.blob(0));
  return sites;
}

/// How many choices each site has: its strata hold them all.
std::vector<int64_t> choices_of_sites(const CampaignInfo& info) {
  std::vector<int64_t> choices(info.sites.size(), 1);
  for (const StoredStratum& stratum : info.strata) {
    int64_t& known = choices[static_cast<size_t>(stratum.site)];
    known = std::max(known, stratum.first_choice + stratum.choices);
  }
  return choices;
}

/// The weights of strata are counts of classes, so that damage would show.
bool fit(const NeuronClasses& classes, const CampaignInfo& info) {
  const std::vector<int64_t> choices_of = choices_of_sites(info);
  for (const StoredStratum& stratum : info.strata) {
    const auto site = static_cast<size_t>(stratum.site);
    const NeuronClasses::Selection neurons{
        .site = site,
        .classes = static_cast<NeuronClasses::Set>(stratum.neuron_classes),
        .first = classes.first_of_level(static_cast<int>(stratum.first_level)),
        .end = classes.first_of_level(static_cast<int>(stratum.first_level + stratum.levels))};
    const double all = static_cast<double>(classes.values(site)) * static_cast<double>(classes.inputs());
    const double part = static_cast<double>(classes.count(neurons)) / all;
    // Of the site's choices, all as likely.
    const double choices = static_cast<double>(stratum.choices) / static_cast<double>(choices_of[site]);
    const double weight = info.sites[site].probability * choices * part;
    if (std::abs(weight - stratum.weight) > kRounding * stratum.weight) return false;
  }
  return true;
}

}  // namespace

void write_neuron_classes(const Database& database, const NeuronClasses& classes) {
  Statement input(database, "INSERT INTO neuron_inputs VALUES (?, ?, ?)");
  Statement site_classes(database, "INSERT INTO neuron_classes VALUES (?, ?, ?)");
  for (int64_t position = 0; position < classes.inputs(); ++position) {
    input.bind(position).bind(classes.number(position));
    input.bind(static_cast<int64_t>(classes.level(position))).run();
    for (size_t site = 0; site < classes.sites(); ++site) {
      site_classes.bind(position).bind(static_cast<int64_t>(site));
      site_classes.bind(classes.packed(position, site)).run();
    }
  }
}

std::shared_ptr<const NeuronClasses> read_neuron_classes(const Database& database, const CampaignInfo& info,
                                                         const std::string& path) {
  const auto classes = std::make_shared<NeuronClasses>(values_of(info));
  Statement input(database, "SELECT position, input, level FROM neuron_inputs ORDER BY position");
  Statement sites(database, "SELECT classes FROM neuron_classes WHERE position = ? ORDER BY site");
  try {
    while (input.step()) {
      if (input.integer(1) < 0 || input.integer(1) >= info.inputs || input.integer(2) < 0 ||
          input.integer(2) > INT16_MAX)
        database.damaged("its classes of neurons are of inputs or levels that there are not");
      classes->add_input(input.integer(1), static_cast<int>(input.integer(2)),
                         read_sites(sites, input.integer(0)));
    }
  } catch (const InternalError&) {
    throw UserError(ErrorCode::store,
                    "'" + path + "' is damaged: its classes of neurons do not fit its sites");
  }
  if (classes->inputs() == 0) return nullptr;
  if (!fit(*classes, info)) {
    throw UserError(ErrorCode::store,
                    "'" + path + "' is damaged: its classes of neurons do not fit its strata");
  }
  return classes;
}

}  // namespace faultwave
