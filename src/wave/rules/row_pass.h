// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "src/wave/shadow.h"

namespace faultwave::wave {

/// An operator on values of some entries: FP32 [entries, width], of which it may make its results in place.
using ValuesOperator = std::function<at::Tensor(const at::Tensor& values)>;

/// The shadow behind an operator that works entry by entry: values of a few entries at a time are put together,
/// given to it, and turned into what the result's shadow holds, while they are in the cache. Changes stay
/// changes, unless the golden result is not finite somewhere; values stay values. What does not differ before
/// the operator does not differ behind it, though vector and scalar code may round differently. `in` may wait
/// for a factor. Entries that are golden behind the operator are dropped, if they are many.
Shadow pass_rows(const Shadow& in, const at::Tensor& golden_in, const at::Tensor& golden_out,
                 const ValuesOperator& run);

/// The same for operators on whole rows, where one value of a row decides over the others.
Shadow pass_whole_rows(const Shadow& in, const at::Tensor& golden_in, const at::Tensor& golden_out,
                       const ValuesOperator& run);

/// The same for clamp(value, low, high), which covers ReLU (0, infinity), without a detour. `in` is of changes.
Shadow pass_clamp(const Shadow& in, const at::Tensor& golden_in, float low, float high);

/// The largest magnitude of a tensor that is finite; infinity or NaN if a value is.
double largest_magnitude(const at::Tensor& tensor);

}  // namespace faultwave::wave
