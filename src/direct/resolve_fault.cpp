// SPDX-License-Identifier: Apache-2.0
#include "src/direct/resolve_fault.h"

#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/fault/fault_plan.h"

namespace faultwave::detail {

void refuse_fault(const Fault& fault, const std::string& reason) {
  throw UserError(ErrorCode::illegal_fault, "fault '" + to_string(fault) + "': " + reason);
}

Fault resolve_fault(const Fault& fault, const Site& site, const VictimContext& context) {
  try {
    fault.model->check(context);
    Draw draw(fault.key.value_or(0), discrete_stream);
    Fault resolved = fault;
    resolved.location = resolve(fault.location, site.element_shape(), site.channel_axis, draw);
    if (const ErrorModelPtr model = fault.model->resolve(context, draw)) resolved.model = model;
    const bool draws_bit = fault.model->is_drawn() && resolved.model != fault.model;
    const bool each_draws =
        fault.batch.kind == BatchPart::Kind::each && (fault.location.is_drawn() || draws_bit);
    return each_draws ? fault : resolved;
  } catch (const UserError& error) {
    if (error.code() != ErrorCode::illegal_fault) throw;
    refuse_fault(fault, error.what());
  }
}

}  // namespace faultwave::detail
