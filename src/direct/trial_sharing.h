// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "faultwave/engine.h"
#include "faultwave/injector.h"

namespace faultwave::detail {

/// Whether a trial's faults may lie in one element of a batch, beside other trials in the others: all of them
/// are in tensors that grow with the batch, and none says which element itself.
inline bool can_share(const Injector& injector, const Trial& trial) {
  return std::all_of(trial.faults.begin(), trial.faults.end(), [&](const Fault& fault) {
    return fault.batch.kind == BatchPart::Kind::all && injector.site(fault.kind, fault.site).batch.dim >= 0;
  });
}

}  // namespace faultwave::detail
