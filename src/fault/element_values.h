// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace faultwave::detail {

/// Type of the stored numbers: that of the tensor, or the integers behind a quantised one.
at::ScalarType stored_type(at::ScalarType type);

/// A flat tensor on the CPU, not initialised, made without the dispatcher.
at::Tensor empty_values(int64_t count, at::ScalarType type);

/// Copies the values at row-major offsets, bit for bit, to a 1-D CPU tensor of stored_type(). Any device,
/// strides and type of 1, 2, 4 or 8 bytes.
at::Tensor read_elements(const at::Tensor& tensor, const std::vector<int64_t>& offsets);

/// The inverse: writes to the tensor's memory, past autograd and its version counter.
void write_elements(const at::Tensor& tensor, const std::vector<int64_t>& offsets, const at::Tensor& values);

}  // namespace faultwave::detail
