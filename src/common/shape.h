// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <string>
#include <vector>

namespace faultwave {

/// The index of a row-major offset; `shape` has no axis of size 0.
std::vector<int64_t> unravel(int64_t offset, c10::IntArrayRef shape);

/// "[1, 3, 224, 224]", as PyTorch prints sizes. Part of the fingerprints of inputs, so it must stay as it is.
std::string shape_text(c10::IntArrayRef shape);

}  // namespace faultwave
