// SPDX-License-Identifier: Apache-2.0
#include "src/fault/models/checks.h"

#include <cmath>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/fault/bits.h"

namespace faultwave {

void refuse(const ErrorModel& model, const VictimContext& context, const std::string& reason) {
  const std::string place = context.site.empty() ? "" : " at site " + context.site;
  throw UserError(ErrorCode::illegal_fault, model.text() + " cannot hit " +
                                                std::string(type_name(context.dtype)) + " values" + place +
                                                ": " + reason);
}

void check_type(const ErrorModel& model, const VictimContext& context) {
  if (is_supported(context.dtype)) return;
  refuse(model, context,
         "error models are defined for FP64, FP32, FP16, BF16, FP8 (e4m3fn, e5m2, e4m3fnuz, e5m2fnuz), "
         "integers of "
         "8 to 64 bits and BOOL");
}

void check_numeric(const ErrorModel& model, const VictimContext& context) {
  check_type(model, context);
  if (context.dtype != at::kBool) return;
  refuse(model, context, "it does arithmetic; use flip, stuck0, stuck1, constant(0) or constant(1)");
}

void check_bit(const ErrorModel& model, const VictimContext& context, int bit, int bits,
               const std::string& word) {
  if (bit >= 0 && bit < bits) return;
  refuse(model, context,
         "there is no bit " + std::to_string(bit) + ", the bits of " + word + " are " +
             (bits == 1 ? "0 only" : "0 (lowest) to " + std::to_string(bits - 1)));
}

void check_value(const ErrorModel& model, const VictimContext& context, double value) {
  if (can_hold(value, context.dtype)) return;
  const std::string range = legal_range(context.dtype);
  if (!is_floating(context.dtype)) {
    refuse(model, context, format_number(value) + " is no whole number from " + range);
  }
  if (std::isinf(value))
    refuse(model, context, "the type has no infinity, its values are " + range + " and nan");
  const bool has_infinity = can_hold(INFINITY, context.dtype);
  refuse(model, context,
         format_number(value) + " is outside the range " + range +
             (has_infinity ? "; write inf or -inf if that is meant" : ""));
}

}  // namespace faultwave
