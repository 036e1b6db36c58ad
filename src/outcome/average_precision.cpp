// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "faultwave/detection.h"

#include "src/outcome/detection_boxes.h"

namespace faultwave {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kRecallSteps = 100;           // recalls 0, 1/100, ..., 1
constexpr size_t kMostDetectionsOfImage = 100;  // of one class

std::vector<Detection> of_one_class(const std::vector<Detection>& detections, int64_t class_index) {
  std::vector<Detection> chosen;
  std::copy_if(detections.begin(), detections.end(), std::back_inserter(chosen),
               [&](const Detection& detection) { return detection.class_index == class_index; });
  return chosen;
}

/// The best that count, by descending score.
std::vector<Detection> best_of(const std::vector<Detection>& detections) {
  std::vector<Detection> best;
  for (const size_t position : by_score(detections)) {
    if (best.size() == kMostDetectionsOfImage) break;
    best.push_back(detections[position]);
  }
  return best;
}

}  // namespace

double average_precision(const std::vector<bool>& right, int64_t objects) {
  if (objects <= 0) return kNone;
  // found[i] and precision[i]: over the detections 0 to i.
  std::vector<int64_t> found(right.size());
  std::vector<double> precision(right.size());
  int64_t count = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    count += right[i] ? 1 : 0;
    found[i] = count;
    precision[i] = static_cast<double>(count) / static_cast<double>(i + 1);
  }
  for (size_t i = right.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);

  double sum = 0;
  size_t place = 0;
  for (int64_t step = 0; step <= kRecallSteps; ++step) {
    // In integers: found / objects >= step / 100 must not hang on rounding.
    while (place < right.size() && found[place] * kRecallSteps < step * objects)
      ++place;
    if (place == right.size()) break;  // a recall that is never reached has precision 0
    sum += precision[place];
  }
  return sum / (kRecallSteps + 1);
}

void MeanAveragePrecision::add(const std::vector<Detection>& detections,
                               const std::vector<Detection>& truth) {
  std::set<int64_t> classes;
  for (const Detection& detection : detections)
    classes.insert(detection.class_index);
  for (const Detection& object : truth)
    classes.insert(object.class_index);
  for (const int64_t class_index : classes) {
    classes_[class_index].push_back(
        {best_of(of_one_class(detections, class_index)), of_one_class(truth, class_index)});
  }
}

double MeanAveragePrecision::of_class(int64_t class_index, double iou) const {
  const auto images = classes_.find(class_index);
  if (images == classes_.end()) return kNone;
  int64_t objects = 0;
  std::vector<Detection> ranked;  // of all images; boxes are not looked at any more
  std::vector<bool> found;
  for (const Image& image : images->second) {
    objects += static_cast<int64_t>(image.truth.size());
    const size_t first = ranked.size();
    ranked.insert(ranked.end(), image.detections.begin(), image.detections.end());
    found.resize(ranked.size());
    for (const Match& pair : match(image.truth, image.detections, iou))
      found[first + pair.detection] = true;
  }
  std::vector<bool> right;
  for (const size_t position : by_score(ranked))
    right.push_back(found[position]);
  return average_precision(right, objects);
}

double MeanAveragePrecision::at(double iou) const {
  double sum = 0;
  int64_t count = 0;
  for (const auto& [class_index, images] : classes_) {
    const double precision = of_class(class_index, iou);
    if (std::isnan(precision)) continue;
    sum += precision;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : kNone;
}

double MeanAveragePrecision::coco() const {
  double sum = 0;
  for (int percent = 50; percent < 100; percent += 5)
    sum += at(percent / 100.0);
  return sum / 10;
}

}  // namespace faultwave
