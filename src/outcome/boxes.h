// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/detection.h"

namespace faultwave {

/// Boxes with a lower score are as if they were not there, unless the criterion says otherwise.
constexpr double kUsualScore = 0.5;

/// `value`, or UserError(usage) if it is not above 0 and at most 1. `name` is the criterion's, `what` is
/// expected.
double share_above_zero(const std::string& name, const char* what, double value);

/// `score`, or UserError(usage) outside of 0 to 1. `name` is the criterion's, `first` its other argument, for
/// the message.
double least_score(const std::string& name, double first, double score);

/// "(0.5)", or "(0.5,0.3)" where the score is not the usual one.
std::string arguments_text(double first, double score);

std::vector<Detection> with_score(std::vector<Detection> detections, double score);

}  // namespace faultwave
