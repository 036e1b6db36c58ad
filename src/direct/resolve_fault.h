// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "faultwave/fault.h"
#include "faultwave/site.h"

namespace faultwave::detail {

/// Checks location and error model against the site, and writes out what is left to draw. Elements of a batch
/// that draw for themselves have no one location or bit to write out: such a fault stays as it is.
/// Throws UserError(illegal_fault) that begins with the fault line.
Fault resolve_fault(const Fault& fault, const Site& site, const VictimContext& context);

/// Throws UserError(illegal_fault): "fault 'LINE': REASON".
[[noreturn]] void refuse_fault(const Fault& fault, const std::string& reason);

}  // namespace faultwave::detail
