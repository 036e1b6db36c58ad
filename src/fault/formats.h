// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "faultwave/number_format.h"

#include "src/common/registry.h"

namespace faultwave {

/// The number formats with a name of their own: the built-in ones, then those of extensions.
///
/// Floating formats convert as encode_float and decode_float. Integer formats take the word nearest to value
/// / step, ties to even, saturated to the range of the word (infinities too), and 0 for NaN; their values are
/// exact, but for the rounding of word * step to double. The step of `int8` is the scale.
Registry<NumberFormat>& number_formats();

/// One of them, or fixed point, such as "fixed8.4". Null if there is no such format.
std::shared_ptr<const NumberFormat> find_format(std::string_view name);

/// The names for messages: "int8, fp16, ...".
std::string format_choices();

}  // namespace faultwave
