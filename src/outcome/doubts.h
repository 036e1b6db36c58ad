// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/outcome.h"

#include "src/outcome/output_kind.h"

namespace faultwave {

/// What a user should know before reading numbers: one sentence each, none where nothing is odd. About golden
/// outputs of some inputs, and criteria that are to read them:
/// - NaN or infinity in golden outputs;
/// - criteria of classes that read a single score, an embedding (see OutputKind), or scores that hardly tell
///   classes apart (their entropy is above 95 % of the most there is, with at least 16 classes);
/// - confidence and drop, which take a softmax, on what are probabilities already.
std::vector<std::string> doubts_about(const std::vector<Outputs>& golden,
                                      const std::vector<CriterionPtr>& criteria);

/// Labels that are no class of a network of so many; "" if there are none.
std::string doubt_about_labels(const std::vector<int64_t>& labels, int64_t classes);

}  // namespace faultwave
