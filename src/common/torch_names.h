// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>
#include <string_view>

namespace faultwave {

/// As in PyTorch: "float32", "bfloat16", "int8".
std::string dtype_name(at::ScalarType dtype);
/// The inverse; Undefined where no type has that name.
at::ScalarType dtype_named(std::string_view name);

/// A floating-point type that a network can be run in: "float32", "half", ... Throws UserError(usage) listing
/// the choices.
at::ScalarType parse_dtype(std::string_view text);

/// "cpu", "cuda", "cuda:1". Throws UserError(usage) for anything else.
at::Device parse_device(std::string_view text);

/// Throws UserError(usage) if this machine has no such device.
void check_device_present(at::Device device);

}  // namespace faultwave
