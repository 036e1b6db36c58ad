// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Layout.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

namespace faultwave::detail {

// An exported program numbers its types by enums of its own schema, which differ from those of c10.
// Each function throws UserError(bad_network) for a number that the schema (version 8) does not have.

at::ScalarType scalar_type_from_export(int64_t number);
int64_t scalar_type_to_export(at::ScalarType type);
at::Layout layout_from_export(int64_t number);
at::MemoryFormat memory_format_from_export(int64_t number);

/// The types that OpenOptions::dtype converts: float16, bfloat16, float32 and float64. FP8 values are left as
/// they are, since the scales that belong to them lie elsewhere.
bool is_convertible_float(at::ScalarType type);

/// "float32", as Python names it.
std::string type_name(at::ScalarType type);

}  // namespace faultwave::detail
