// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Device.h>

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace faultwave::detail {

/// The one field of an argument as an exported program writes it, {"as_int": 3}.
struct ArgumentField {
  std::string kind;  ///< "as_int"
  const nlohmann::json& value;
};
ArgumentField argument_field(const nlohmann::json& argument);

/// The value of an argument that is written out in the program (a number, a string, a list of them, a dtype,
/// a device, None ...), converted to what the operator's schema wants in its place: a number stands for a
/// float, a Scalar, a list of one, or a tensor alike. A device becomes `device`, whatever was written. Empty
/// if the argument is not of that sort (a tensor, a size, a graph).
std::optional<c10::IValue> literal(const ArgumentField& field, const c10::Argument& formal,
                                   at::Device device);

/// The number of a field "as_int", "as_float" or "as_bool" as it is; None for "as_none"; empty for others.
std::optional<c10::IValue> plain_number(const ArgumentField& field);

}  // namespace faultwave::detail
