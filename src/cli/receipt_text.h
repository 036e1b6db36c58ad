// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "faultwave/receipt.h"

namespace faultwave::cli {

/// The fault line, and a line for each of the first victims: index, value and bits before and after.
std::string receipt_text(const Receipt& receipt);

/// {"fault", "site", "kind", "dtype", "forwards", "hits", "victims": [{"index", "before", "after",
/// "bits_before", "bits_after"}]}; values that JSON has no number for are the strings "nan", "inf", "-inf".
nlohmann::ordered_json receipt_json(const Receipt& receipt);

/// A number, or the string that stands for it.
nlohmann::ordered_json json_number(double value);

}  // namespace faultwave::cli
