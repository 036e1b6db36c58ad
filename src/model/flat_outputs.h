// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <vector>

namespace faultwave::detail {

/// Adds the tensors of a network's output in order: lists, tuples and dictionaries are gone through, a number
/// becomes a 0-dimensional tensor, None and strings are left out. Throws UserError(bad_network) for anything
/// else.
void append_flat(const c10::IValue& output, std::vector<at::Tensor>& tensors);

}  // namespace faultwave::detail
