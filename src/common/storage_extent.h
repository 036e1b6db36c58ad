// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <optional>

namespace faultwave {

/// How many elements a storage must have for a tensor with these sizes, strides and this offset, all in
/// elements; 0 where the tensor has none. Empty if no tensor can be so: other numbers of sizes and strides,
/// more than 64 axes, negative numbers, or more than 2^58 elements.
std::optional<int64_t> storage_extent(c10::IntArrayRef sizes, c10::IntArrayRef strides, int64_t offset);

}  // namespace faultwave
