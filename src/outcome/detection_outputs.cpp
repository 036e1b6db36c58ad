// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "faultwave/error.h"

#include "src/common/shape.h"
#include "src/outcome/detection_boxes.h"
#include "src/outcome/values.h"

namespace faultwave {
namespace {

bool is_table(const at::Tensor& tensor, int64_t columns) {
  return tensor.is_floating_point() && tensor.dim() == 2 && tensor.size(1) == columns;
}

bool is_scores(const at::Tensor& tensor, int64_t rows) {
  return tensor.is_floating_point() && tensor.dim() == 1 && tensor.size(0) == rows;
}

bool is_classes(const at::Tensor& tensor, int64_t rows) {
  return c10::isIntegralType(tensor.scalar_type(), /*includeBool=*/false) && tensor.dim() == 1 &&
         tensor.size(0) == rows;
}

bool is_class_scores(const at::Tensor& tensor, int64_t rows) {
  return tensor.is_floating_point() && tensor.dim() == 2 && tensor.size(0) == rows && tensor.size(1) > 0;
}

template <typename Test>
const at::Tensor* first_that(const std::vector<at::Tensor>& outputs, Test test) {
  const auto found = std::find_if(outputs.begin(), outputs.end(), test);
  return found == outputs.end() ? nullptr : &*found;
}

/// Row-major, so that plain pointers can walk it.
at::Tensor numbers(const at::Tensor& tensor) {
  return plain_values(tensor).to(at::kDouble);
}

BoundingBox box_at(const double* row) {
  return {row[0], row[1], row[2], row[3]};
}

void keep(std::vector<Detection>& detections, const Detection& detection) {
  if (area(detection.box) > 0 && !std::isnan(detection.score)) detections.push_back(detection);
}

/// boxes [N, 4], scores [N], classes [N]; nothing if the outputs are not of this kind.
std::optional<std::vector<Detection>> from_three(const std::vector<at::Tensor>& outputs) {
  const at::Tensor* boxes = first_that(outputs, [](const auto& output) { return is_table(output, 4); });
  if (boxes == nullptr) return std::nullopt;
  const int64_t rows = boxes->size(0);
  const at::Tensor* scores = first_that(outputs, [&](const auto& output) { return is_scores(output, rows); });
  const at::Tensor* classes =
      first_that(outputs, [&](const auto& output) { return is_classes(output, rows); });
  if (scores == nullptr || classes == nullptr) return std::nullopt;

  const at::Tensor box_numbers = numbers(*boxes);
  const at::Tensor score_numbers = numbers(*scores);
  const at::Tensor class_numbers = plain_values(*classes).to(at::kLong);
  std::vector<Detection> detections;
  for (int64_t i = 0; i < rows; ++i) {
    keep(detections, {box_at(box_numbers.const_data_ptr<double>() + 4 * i),
                      score_numbers.const_data_ptr<double>()[i], class_numbers.const_data_ptr<int64_t>()[i]});
  }
  return detections;
}

/// One output [N, 6].
std::optional<std::vector<Detection>> from_one(const std::vector<at::Tensor>& outputs) {
  if (outputs.size() != 1 || !is_table(outputs[0], 6)) return std::nullopt;
  constexpr double too_large = 0x1p53;
  const at::Tensor table = numbers(outputs[0]);
  std::vector<Detection> detections;
  for (int64_t i = 0; i < table.size(0); ++i) {
    const double* row = table.const_data_ptr<double>() + 6 * i;
    if (!(std::abs(row[5]) < too_large)) continue;  // NaN too
    keep(detections, {box_at(row), row[4], static_cast<int64_t>(row[5])});
  }
  return detections;
}

/// The best class of an anchor, by its scores of all classes; its score is NaN if all of them are.
Detection best_class(const BoundingBox& box, const double* scores, int64_t classes) {
  const double* best = std::max_element(scores, scores + classes, [](double a, double b) {
    return std::isnan(a) ? !std::isnan(b) : a < b;  // NaN is less than all
  });
  return {box, *best, best - scores};
}

std::vector<Detection> suppress(const std::vector<Detection>& candidates, const RawDetector& raw) {
  std::vector<Detection> kept;
  int64_t looked_at = 0;
  for (const size_t position : by_score(candidates)) {
    if (looked_at++ == raw.candidates) break;
    const Detection& candidate = candidates[position];
    const bool is_suppressed = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
      return better.class_index == candidate.class_index && iou(better.box, candidate.box) > raw.iou;
    });
    if (!is_suppressed) kept.push_back(candidate);
  }
  return kept;
}

/// boxes [A, 4], scores [A, C].
std::optional<std::vector<Detection>> from_anchors(const std::vector<at::Tensor>& outputs,
                                                   const RawDetector& raw) {
  const at::Tensor* boxes = first_that(outputs, [](const auto& output) { return is_table(output, 4); });
  if (boxes == nullptr) return std::nullopt;
  const int64_t anchors = boxes->size(0);
  const at::Tensor* scores = first_that(
      outputs, [&](const auto& output) { return &output != boxes && is_class_scores(output, anchors); });
  if (scores == nullptr) return std::nullopt;

  const int64_t classes = scores->size(1);
  const at::Tensor box_numbers = numbers(*boxes);
  const at::Tensor score_numbers = numbers(*scores);
  std::vector<Detection> candidates;
  for (int64_t i = 0; i < anchors; ++i) {
    const Detection detection = best_class(box_at(box_numbers.const_data_ptr<double>() + 4 * i),
                                           score_numbers.const_data_ptr<double>() + classes * i, classes);
    if (detection.score >= raw.score && detection.class_index != raw.background) keep(candidates, detection);
  }
  return suppress(candidates, raw);
}

std::string kinds_of(const std::vector<at::Tensor>& outputs) {
  if (outputs.empty()) return "no outputs";
  std::string text;
  for (const at::Tensor& output : outputs) {
    text += (text.empty() ? "" : ", ") + std::string(c10::toString(output.scalar_type())) + " " +
            shape_text(output.sizes());
  }
  return text;
}

}  // namespace

std::vector<Detection> read_detections(const std::vector<at::Tensor>& outputs, const RawDetector& raw,
                                       std::string_view reader) {
  if (auto detections = from_three(outputs)) return *std::move(detections);
  if (auto detections = from_one(outputs)) return *std::move(detections);
  if (auto detections = from_anchors(outputs, raw)) return *std::move(detections);
  throw UserError(
      ErrorCode::bad_input,
      std::string(reader) +
          " needs the outputs of a detector, floating-point boxes [N, 4] with scores [N] and integer "
          "classes [N], boxes and scores and classes in one [N, 6], or boxes [A, 4] with scores "
          "[A, C], and got " +
          kinds_of(outputs));
}

std::vector<Detection> detections_of(const std::vector<at::Tensor>& outputs, const RawDetector& raw) {
  return read_detections(outputs, raw, "a list of detections");
}

}  // namespace faultwave
