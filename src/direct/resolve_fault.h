// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "faultwave/fault.h"
#include "faultwave/injector.h"
#include "faultwave/site.h"

namespace faultwave::detail {

/// Checks location and error model against the site, and writes out what is left to draw. Elements of a batch
/// that draw for themselves have no one location or bit to write out: such a fault stays as it is.
/// Throws UserError(illegal_fault) that begins with the fault line.
/// Where the site has free axes the location stays as it is.
Fault resolve_fault(const Fault& fault, const Site& site, const VictimContext& context);

/// Injector::resolve for those who run one forward: refuses a fault that acts in later ones alone, and
/// gradients, which no forward has.
Fault resolve_in_one_forward(const Injector& injector, const Fault& fault);

/// Throws UserError(illegal_fault): "fault 'LINE': REASON".
[[noreturn]] void refuse_fault(const Fault& fault, const std::string& reason);

}  // namespace faultwave::detail
