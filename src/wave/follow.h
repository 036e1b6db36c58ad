// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "faultwave/wave_engine.h"

#include "src/wave/rule.h"
#include "src/wave/shadow_parts.h"

namespace faultwave::wave {

/// An argument that some trials see differently, in parts as the tensor has them.
struct PartedArgument {
  detail::TensorPlace place;
  ShadowParts parts;
};

/// Whether trials may differ in the tensor and stay in the wave: rules are made for FP32 so far, though
/// shadows can be of more types.
bool has_rules(const at::Tensor& tensor);

/// Trials that differ in one of them.
std::set<int32_t> trials_of(const std::vector<PartedArgument>& shadowed);

/// Where the trials of a call differ in its results, one for each tensor; `call` has no shadows yet. Parts
/// are followed one by one, or joined first where a call reads more than they hold (weights). The rules are
/// asked for the call as a whole first. If none is made for it, they are asked for trials that differ in the
/// same arguments together, so that a trial with a fault in a weight does not take the rule from those that
/// differ in the activation. What is left goes the generic way, which is counted in the report.
std::vector<ShadowParts> shadows_of_results(const Call& call, std::vector<PartedArgument>& shadowed,
                                            WaveReport& report);

}  // namespace faultwave::wave
