// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "src/wave/shadow_entries.h"
#include "src/wave/shadow_forms.h"

namespace faultwave::wave {

/// An operator on values of some entries: FP32 [entries, width], of which it may make its results in place.
using ValuesOperator = std::function<at::Tensor(const at::Tensor& values)>;

/// The shadow behind an operator that works entry by entry: values of a few entries at a time are put
/// together, given to it, and compared with the golden result, while they are in the cache. What comes out
/// are values: an operator may make tiny values of huge ones, which changes would tell as exactly as golden
/// values only. What does not differ before the operator does not differ behind it, though vector and scalar
/// code may round differently. `in` may wait for a factor. Entries that are as good as golden behind the
/// operator (kLeastChange) are dropped, if they are many.
Shadow pass_rows(const Shadow& in, const at::Tensor& golden_in, const at::Tensor& golden_out,
                 const ValuesOperator& run);

/// The same for operators on whole rows, where one value of a row decides over the others.
Shadow pass_whole_rows(const Shadow& in, const at::Tensor& golden_in, const at::Tensor& golden_out,
                       const ValuesOperator& run);

/// The same for clamp(value, low, high), which covers ReLU (0, infinity), without a detour. `in` is of
/// changes, and the golden result finite; `least` is its least_change().
Shadow pass_clamp(const Shadow& in, const at::Tensor& golden_in, float low, float high, float least);

/// Values as changes from a golden tensor that is finite, without entries that are as good as golden.
Shadow less_golden(Shadow values, const at::Tensor& golden);

/// A row whose changes are all below this part of the mean magnitude of a result counts as golden. It is less
/// than the part of the largest magnitude that is promised for outputs (kWaveRounding), since outputs may be
/// smaller than what they are made of, and attention spreads a change over many rows; docs/wave.md says what
/// was measured. The mean, not the largest magnitude, which a few large values can lift far above what the
/// others are.
inline constexpr double kLeastChange = 0x1p-20;

/// That in figures. Not finite if a value of the tensor is not.
float least_change(const at::Tensor& golden);
/// Whether all its values are, so that changes from it can be told.
bool is_finite(const at::Tensor& golden);

}  // namespace faultwave::wave
