// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "faultwave/neuron_classes.h"
#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

void write_neuron_classes(const Database& database, const NeuronClasses& classes);

/// Null where the campaign has none. Throws UserError(store) naming `path` unless they fit the campaign's
/// sites and strata.
std::shared_ptr<const NeuronClasses> read_neuron_classes(const Database& database, const CampaignInfo& info,
                                                         const std::string& path);

}  // namespace faultwave
