// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "faultwave/detection.h"

namespace faultwave {

/// Positions of detections by descending score, equal ones by position, NaN last.
std::vector<size_t> by_score(const std::vector<Detection>& detections);

/// As detections_of. `reader` is who asks, for the message: "criterion boxes_lost".
std::vector<Detection> read_detections(const std::vector<at::Tensor>& outputs, const RawDetector& raw,
                                       std::string_view reader);

}  // namespace faultwave
