// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "faultwave/detection.h"

#include "tests/outcome/outcome_test.h"

namespace faultwave {

inline Detection detection(BoundingBox box, double score = 1, int64_t class_index = 0) {
  return {box, score, class_index};
}

/// Outputs as torchvision's detectors have them: boxes, classes, scores.
inline std::vector<at::Tensor> outputs_of(const std::vector<Detection>& detections) {
  const auto count = static_cast<int64_t>(detections.size());
  const std::vector<at::Tensor> outputs = {at::zeros({count, 4}), at::zeros({count}, at::kLong),
                                           at::zeros({count})};
  for (int64_t i = 0; i < count; ++i) {
    const BoundingBox& box = detections[i].box;
    outputs[0][i].copy_(at::tensor({box.x1, box.y1, box.x2, box.y2}));
    outputs[1][i] = detections[i].class_index;
    outputs[2][i] = detections[i].score;
  }
  return outputs;
}

/// "(truth, detection) ..." in the order of choice.
inline std::string pairs_of(const std::vector<Match>& matches) {
  std::string text;
  for (const Match& pair : matches)
    text += "(" + std::to_string(pair.truth) + "," + std::to_string(pair.detection) + ")";
  return text;
}

}  // namespace faultwave
