// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <vector>

#include "faultwave/site.h"

namespace faultwave::detail {

/// What Site::element_shape says, for a tensor of `shape` whose batch lies along `batch`.
std::vector<int64_t> element_shape(c10::IntArrayRef shape, const BatchAxis& batch);

/// Row-major offsets in a whole tensor of batch element `element`, from offsets in the element shape.
/// `shape` is that of the whole tensor.
std::vector<int64_t> whole_offsets(const std::vector<int64_t>& element_offsets, c10::IntArrayRef shape,
                                   const BatchAxis& batch, int64_t element);

/// The inverse for one offset: where it lies in the shape of the element that owns it.
int64_t element_offset(int64_t whole_offset, c10::IntArrayRef shape, const BatchAxis& batch);

}  // namespace faultwave::detail
