// SPDX-License-Identifier: Apache-2.0
#include "src/cli/element_text.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "faultwave/detection.h"
#include "faultwave/outcome.h"

#include "src/common/shape.h"
#include "src/outcome/boxes.h"
#include "src/outcome/change.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

constexpr size_t kFewValues = 8;
constexpr size_t kMostBoxes = 10;

/// "top 1     class 3 (90.00 %)      class 4 (80.00 %)\n".
std::string row(const std::string& name, const std::string& golden, const std::string& faulty, size_t width) {
  constexpr size_t kName = 10;
  const auto padded = [](const std::string& text, size_t columns) {
    return text + std::string(text.size() < columns ? columns - text.size() : 1, ' ');
  };
  return padded(name, kName) + padded(golden, width) + faulty + "\n";
}

std::string class_text(const std::vector<RankedClass>& classes, size_t rank) {
  if (rank >= classes.size()) return "-";
  return "class " + std::to_string(classes[rank].index) + " (" + percent(classes[rank].probability) + ")";
}

/// None where a faulty run crashed or gave something else.
std::vector<RankedClass> classes_of(const Outputs& outputs) {
  const bool holds_scores = class_count_of(outputs) > 0 && outputs[0].dim() == 1;
  return holds_scores ? top_classes(outputs[0]) : std::vector<RankedClass>();
}

std::string classes_text(const Outputs& golden, const Outputs& faulty) {
  constexpr size_t kWidth = 23;
  const std::vector<RankedClass> before = classes_of(golden);
  const std::vector<RankedClass> after = classes_of(faulty);
  std::string text = row("", "golden", "faulty", kWidth);
  for (size_t rank = 0; rank < before.size(); ++rank)
    text += row("top " + std::to_string(rank + 1), class_text(before, rank), class_text(after, rank), kWidth);
  return text;
}

std::string box_text(const Detection& detection) {
  const BoundingBox& box = detection.box;
  return "class " + std::to_string(detection.class_index) + " (" + significant(detection.score) + ") at " +
         significant(box.x1) + ", " + significant(box.y1) + ", " + significant(box.x2) + ", " +
         significant(box.y2);
}

bool holds_detections(const Outputs& outputs) {
  return kind_of_outputs({outputs}) == OutputKind::detections;
}

/// Those that count where a criterion names no score; none where the outputs are no detections any more.
std::vector<Detection> boxes_of(const Outputs& outputs) {
  if (!holds_detections(outputs)) return {};
  return with_score(detections_of(outputs), kUsualScore);
}

/// Partners side by side, as the criteria of boxes pair them; then what is left over on either side.
std::string boxes_text(const Outputs& golden, const Outputs& faulty) {
  constexpr size_t kWidth = 44;
  const std::vector<Detection> before = boxes_of(golden);
  const std::vector<Detection> after = boxes_of(faulty);
  if (before.empty() && after.empty()) return "boxes     none has a score of 0.5 or more\n";
  constexpr double kPartners = 0.5;
  std::vector<size_t> partner(before.size(), after.size());
  std::vector<bool> is_taken(after.size(), false);
  for (const Match& pair : match(before, after, kPartners, MatchClasses::prefer)) {
    partner[pair.truth] = pair.detection;
    is_taken[pair.detection] = true;
  }
  std::string text = row("", "golden", "faulty", kWidth);
  size_t number = 0;
  const auto add = [&](const std::string& left, const std::string& right) {
    if (++number <= kMostBoxes) text += row("box " + std::to_string(number), left, right, kWidth);
  };
  for (size_t i = 0; i < before.size(); ++i)
    add(box_text(before[i]), partner[i] < after.size() ? box_text(after[partner[i]]) : "-");
  for (size_t i = 0; i < after.size(); ++i) {
    if (!is_taken[i]) add("-", box_text(after[i]));
  }
  if (number > kMostBoxes) text += "          and " + std::to_string(number - kMostBoxes) + " more\n";
  return text;
}

std::string values_text(const at::Tensor& tensor) {
  const at::Tensor values =
      (tensor.is_quantized() ? tensor.dequantize() : tensor).to(at::kDouble).flatten().contiguous();
  std::string text;
  for (int64_t i = 0; i < values.numel(); ++i)
    text += (i == 0 ? "" : ", ") + significant(values[i].item<double>());
  return text;
}

/// "12 of 400 values differ, by up to 0.31".
std::string difference_text(const at::Tensor& golden, const at::Tensor& faulty) {
  if (faulty.sizes() != golden.sizes()) return "now " + shape_text(faulty.sizes());
  const int64_t differing = (faulty != golden).sum().item<int64_t>();
  std::string text = grouped(differing) + " of " + grouped(golden.numel()) + " values differ";
  const Change change = change_of(golden, faulty);
  if (differing == 0 || !change.has_same_form || change.largest_change == 0) return text;
  return text + ", by up to " + significant(change.largest_change) + " (largest golden value " +
         significant(change.largest_golden) + ")";
}

std::string differences_text(const Outputs& golden, const Outputs& faulty) {
  std::string text;
  for (size_t i = 0; i < golden.size(); ++i) {
    text += "output " + std::to_string(i) + "  " + shape_text(golden[i].sizes());
    const bool is_few = golden[i].numel() <= static_cast<int64_t>(kFewValues) && !golden[i].is_complex();
    if (is_few) text += " golden " + values_text(golden[i]);
    if (i < faulty.size()) {
      const bool is_shown = is_few && faulty[i].sizes() == golden[i].sizes();
      text += is_shown ? "; faulty " + values_text(faulty[i]) : ": " + difference_text(golden[i], faulty[i]);
    }
    text += "\n";
  }
  return text;
}

std::string count_of_boxes(const Outputs& outputs) {
  const size_t count = boxes_of(outputs).size();
  return std::to_string(count) + (count == 1 ? " box" : " boxes");
}

}  // namespace

bool shows_classes(const Outputs& golden) {
  const OutputKind kind = kind_of_outputs({golden});
  return (kind == OutputKind::scores || kind == OutputKind::probabilities) && golden[0].dim() == 1;
}

std::string element_text(const Outputs& golden, const Outputs& faulty) {
  if (holds_detections(golden)) return boxes_text(golden, faulty);
  return shows_classes(golden) ? classes_text(golden, faulty) : differences_text(golden, faulty);
}

ShortElement short_element(const Outputs& golden, const Outputs& faulty) {
  if (holds_detections(golden))
    return {count_of_boxes(golden), faulty.empty() ? "-" : count_of_boxes(faulty)};
  if (shows_classes(golden)) return {class_text(classes_of(golden), 0), class_text(classes_of(faulty), 0)};
  int64_t values = 0;
  int64_t differing = 0;
  for (size_t i = 0; i < golden.size(); ++i) {
    values += golden[i].numel();
    const bool is_alike = i < faulty.size() && faulty[i].sizes() == golden[i].sizes();
    differing += is_alike ? (faulty[i] != golden[i]).sum().item<int64_t>() : golden[i].numel();
  }
  return {grouped(values) + (values == 1 ? " value" : " values"),
          faulty.empty() ? "-" : grouped(differing) + " differ"};
}

}  // namespace faultwave::cli
