// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "faultwave/error_model.h"

#include "src/fault/models/argument_texts.h"

namespace faultwave {

/// Parses the arguments of a flip whose first one names a format: "int8:6,scale=0.05".
ErrorModelPtr parse_format_flip(const ArgumentTexts& arguments);

}  // namespace faultwave
