// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "faultwave/error_model.h"

namespace faultwave {

/// Throws UserError(illegal_fault): "MODEL cannot hit TYPE values at site SITE: REASON".
[[noreturn]] void refuse(const ErrorModel& model, const VictimContext& context, const std::string& reason);

/// Throws UserError(illegal_fault) for a type that no error model works on, such as complex numbers.
void check_type(const ErrorModel& model, const VictimContext& context);

/// check_type, and that the values are numbers rather than bool.
void check_numeric(const ErrorModel& model, const VictimContext& context);

/// Throws UserError(illegal_fault) unless 0 <= bit < bits; `word` names what the bits belong to: "FP32".
void check_bit(const ErrorModel& model, const VictimContext& context, int bit, int bits,
               const std::string& word);

/// Throws UserError(illegal_fault) unless the type can hold `value` (can_hold).
void check_value(const ErrorModel& model, const VictimContext& context, double value);

}  // namespace faultwave
