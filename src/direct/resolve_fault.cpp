// SPDX-License-Identifier: Apache-2.0
#include "src/direct/resolve_fault.h"

#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/fault/fault_plan.h"

namespace faultwave::detail {

void refuse_fault(const Fault& fault, const std::string& reason) {
  throw UserError(ErrorCode::illegal_fault, "fault '" + to_string(fault) + "': " + reason);
}

namespace {

void check_forwards(const Fault& fault) {
  const ForwardRange& range = fault.forwards;
  if (range.begin >= 0 && range.begin < range.end) return;
  refuse_fault(fault, "a range of forwards begin:end, its end not included, needs 0 <= begin < end");
}

/// Axes of the element shape that have other lengths in other forwards.
std::vector<int64_t> free_element_axes(const Site& site) {
  std::vector<int64_t> axes;
  const bool is_left_out = site.batch.dim >= 0 && site.batch.rows == 1;
  for (const int64_t axis : site.free_axes) {
    if (!is_left_out || axis < site.batch.dim) axes.push_back(axis);
    if (is_left_out && axis > site.batch.dim) axes.push_back(axis - 1);
  }
  return axes;
}

/// Draws once where all forwards are of one shape.
Location resolve_location(const Fault& fault, const Site& site, Draw& draw) {
  const std::vector<int64_t> shape = site.element_shape();
  if (site.free_axes.empty()) return resolve(fault.location, shape, site.channel_axis, draw);
  check_location(fault.location, shape, site.channel_axis, free_element_axes(site));
  resolve_within(fault.location, shape, site.channel_axis, draw);  // the error model draws behind it
  return fault.location;
}

}  // namespace

Fault resolve_in_one_forward(const Injector& injector, const Fault& fault) {
  if (!fault.forwards.holds(0)) {
    refuse_fault(
        fault,
        "a trial runs one forward, number 0; leave '%' out, or arm the fault around a loop of your own");
  }
  if (is_gradient(fault.kind)) {
    refuse_fault(
        fault,
        "a trial runs no backward pass, so it has no gradients; arm the fault around a training step of "
        "your own");
  }
  return injector.resolve(fault);
}

Fault resolve_fault(const Fault& fault, const Site& site, const VictimContext& context) {
  try {
    check_forwards(fault);
    fault.model->check(context);
    Draw draw(fault.key.value_or(0), discrete_stream);
    Fault resolved = fault;
    resolved.location = resolve_location(fault, site, draw);
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
