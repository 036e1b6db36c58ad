// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace faultwave::detail {

// Parsers and whoever goes through what they made call themselves for each level, so that a text of some
// megabytes of brackets would exhaust the stack. No network comes near these limits.

/// Whether brackets of a JSON text lie more than 500 deep.
bool is_json_too_deep(std::string_view text);

/// Whether code of TorchScript has brackets more than 500 deep, blocks more than 200 deep, or more than 5,000
/// operators in one expression.
bool is_code_too_deep(std::string_view code);

}  // namespace faultwave::detail
