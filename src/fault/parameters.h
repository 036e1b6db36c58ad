// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "faultwave/arguments.h"

#include "src/fault/models/argument_texts.h"

namespace faultwave {

/// How a text with these parameters is written: "boxes_lost(iou[,score])", "stuck0 or stuck0(bit)", "top1".
std::string form_of(const std::string& name, const std::vector<Parameter>& parameters);

/// What the arguments have to be: "a number for k", "numbers for iou and if wanted score", "a whole number
/// from 0 to 7 for bit and if wanted low or high for level"; "" where there are none.
std::string wanted_arguments(const std::vector<Parameter>& parameters);

/// The value that a text stands for, if it is one that the parameter may have.
std::optional<Arguments::Value> parse_value(const Parameter& parameter, std::string_view text);
/// What is taken where the argument is left out.
Arguments::Value value_if_left_out(const Parameter& parameter);

/// Checks number, types and ranges. Throws ArgumentError that names the argument and what was expected.
Arguments read_arguments(const ArgumentTexts& texts, const std::vector<Parameter>& parameters);

/// Throws UserError(usage) for parameters that make no sense; `what` is whose they are, for the message.
void check_parameters(const std::string& what, const std::vector<Parameter>& parameters);

/// Throws UserError(usage) unless the name may be one of an extension; `what` is "an error model".
void check_extension_name(const std::string& what, const std::string& name);

}  // namespace faultwave
