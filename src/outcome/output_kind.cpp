// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/output_kind.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "faultwave/detection.h"
#include "faultwave/error.h"

namespace faultwave {
namespace {

constexpr int64_t kFewestOfEmbedding = 16;
constexpr double kSumTolerance = 0.01;

bool is_integer(const at::Tensor& tensor) {
  return at::isIntegralType(tensor.scalar_type(), /*includeBool=*/true);
}

bool all_of(const std::vector<Outputs>& golden, bool (*holds)(const Outputs&)) {
  return std::all_of(golden.begin(), golden.end(), holds);
}

/// As FP64, of an output that class_count_of counts.
at::Tensor score_values(const Outputs& outputs) {
  const at::Tensor& first = outputs.front();
  return (first.is_quantized() ? first.dequantize() : first).to(at::kDouble).flatten();
}

bool lie_from_0_to_1(const at::Tensor& values) {
  return values.ge(0).logical_and(values.le(1)).all().item<bool>();  // false for NaN
}

bool are_probabilities(const Outputs& outputs) {
  const at::Tensor values = score_values(outputs);
  return lie_from_0_to_1(values) && std::abs(values.sum().item<double>() - 1) < kSumTolerance;
}

bool is_embedding(const Outputs& outputs) {
  const at::Tensor values = score_values(outputs);
  const double tolerance = outputs.front().element_size() < 4 ? 0.01 : 0.001;
  return values.numel() >= kFewestOfEmbedding && std::abs(values.norm().item<double>() - 1) < tolerance &&
         values.lt(0).any().item<bool>();
}

bool holds_number(const Outputs& outputs) {
  return !outputs.empty() && outputs[0].numel() == 1 && outputs[0].is_floating_point();
}

bool holds_share(const Outputs& outputs) {
  return outputs.size() == 1 && lie_from_0_to_1(outputs[0].to(at::kDouble));
}

bool holds_scores(const Outputs& outputs) {
  return class_count_of(outputs) > 0;
}

bool holds_integers(const Outputs& outputs) {
  return !outputs.empty() && std::all_of(outputs.begin(), outputs.end(), is_integer);
}

bool holds_detections(const Outputs& outputs) {
  try {
    const std::vector<Detection> detections = detections_of(outputs, {.score = 0});
    return std::all_of(detections.begin(), detections.end(), [](const Detection& detection) {
      return detection.score >= 0 && detection.score <= 1;
    });
  } catch (const UserError&) {
    return false;
  }
}

/// Boxes, scores and classes of their own are told by their types. Tables of one kind of number are taken for
/// detections only if they hold any.
bool has_classes_or_boxes(const std::vector<Outputs>& golden) {
  return std::any_of(golden.begin(), golden.end(), [](const Outputs& outputs) {
    return std::any_of(outputs.begin(), outputs.end(), is_integer) ||
           !detections_of(outputs, {.score = 0}).empty();
  });
}

}  // namespace

int64_t class_count_of(const Outputs& outputs) {
  if (outputs.empty()) return 0;
  const at::Tensor& first = outputs.front();
  const bool is_real = first.is_floating_point() || first.is_quantized();
  const auto sizes = first.sizes();
  const bool is_one_row = std::find(sizes.begin(), sizes.end(), first.numel()) != sizes.end();
  return is_real && is_one_row && first.numel() > 1 ? first.numel() : 0;
}

OutputKind kind_of_outputs(const std::vector<Outputs>& golden) {
  if (golden.empty()) return OutputKind::other;
  if (all_of(golden, holds_detections) && has_classes_or_boxes(golden)) return OutputKind::detections;
  if (all_of(golden, holds_scores)) {
    if (all_of(golden, are_probabilities)) return OutputKind::probabilities;
    return all_of(golden, is_embedding) ? OutputKind::embedding : OutputKind::scores;
  }
  if (all_of(golden, holds_number))
    return all_of(golden, holds_share) ? OutputKind::share : OutputKind::number;
  return all_of(golden, holds_integers) ? OutputKind::integers : OutputKind::other;
}

}  // namespace faultwave
