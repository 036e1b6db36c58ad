// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "src/wave/shadow.h"

namespace faultwave::wave {

/// The shadow of one tensor in several parts: of different trials, those of a part all before those of the
/// next. Trials whose faults lie late join as a part of their own, since copying what is there already to
/// make room for them, layer by layer, would cost more than the layers.
using ShadowParts = std::vector<Shadow>;

bool is_empty(const ShadowParts& parts);
/// Both have the values of one tensor in the same memory.
bool is_same(const ShadowParts& a, const ShadowParts& b);
int64_t bytes_of(const ShadowParts& parts);
bool has_trial(const ShadowParts& parts, int32_t trial);
/// Takes part in, if it is not empty. Where its trials do not come behind the others', all become one part.
void append(ShadowParts& parts, Shadow part, const at::Tensor& golden);
/// Joins parts of one form at the end, where the last has grown to a good part of the one before it.
void join_small(ShadowParts& parts, const at::Tensor& golden);
/// Makes one part of all.
void join_all(ShadowParts& parts, const at::Tensor& golden);
ShadowParts select_trials(const ShadowParts& parts, const std::vector<char>& keep);
/// A copy of the golden tensor as this trial has it; `golden` itself where it does not differ.
at::Tensor materialise(const ShadowParts& parts, int32_t trial, const at::Tensor& golden);

}  // namespace faultwave::wave
