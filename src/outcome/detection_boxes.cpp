// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/detection_boxes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace faultwave {
namespace {

/// Greedy pairing of one round: which boxes are taken is carried on to the next.
class Pairing {
 public:
  Pairing(const std::vector<Detection>& truth, const std::vector<Detection>& detections, double least)
      : truth_(truth),
        detections_(detections),
        least_(least),
        truth_taken_(truth.size()),
        detection_taken_(detections.size()) {}

  void pair(const std::vector<size_t>& order, bool same_class) {
    for (const size_t detection : order) {
      if (!detection_taken_[detection]) choose(detection, same_class);
    }
  }

  std::vector<Match> take() { return std::move(matches_); }

 private:
  void choose(size_t detection, bool same_class) {
    const Detection& chooser = detections_[detection];
    Match best{0, detection, 0};
    for (size_t i = 0; i < truth_.size(); ++i) {
      if (truth_taken_[i] || (same_class && truth_[i].class_index != chooser.class_index)) continue;
      const double overlap = iou(truth_[i].box, chooser.box);
      if (overlap >= least_ && overlap > best.iou) best = {i, detection, overlap};
    }
    if (best.iou == 0) return;
    truth_taken_[best.truth] = true;
    detection_taken_[detection] = true;
    matches_.push_back(best);
  }

  const std::vector<Detection>& truth_;
  const std::vector<Detection>& detections_;
  double least_;
  std::vector<bool> truth_taken_;
  std::vector<bool> detection_taken_;
  std::vector<Match> matches_;
};

}  // namespace

double area(const BoundingBox& box) {
  const double width = box.x2 - box.x1;
  const double height = box.y2 - box.y1;
  const double product = width * height;
  const bool is_positive = width > 0 && height > 0 && product > 0;  // false for NaN, and where it underflows
  // Two areas can be added, even those of values that a fault blew up.
  return is_positive && product <= std::numeric_limits<double>::max() / 2 ? product : 0;
}

double iou(const BoundingBox& a, const BoundingBox& b) {
  const double area_a = area(a);
  const double area_b = area(b);
  if (area_a == 0 || area_b == 0) return 0;
  const BoundingBox common{std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2),
                           std::min(a.y2, b.y2)};
  const double shared = area(common);
  return shared / (area_a + (area_b - shared));
}

std::vector<size_t> by_score(const std::vector<Detection>& detections) {
  std::vector<size_t> order(detections.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const double score_a = detections[a].score;
    const double score_b = detections[b].score;
    return std::isnan(score_b) ? !std::isnan(score_a) : score_a > score_b;
  });
  return order;
}

std::vector<Match> match(const std::vector<Detection>& truth, const std::vector<Detection>& detections,
                         double least, MatchClasses classes) {
  Pairing pairing(truth, detections, least);
  const std::vector<size_t> order = by_score(detections);
  pairing.pair(order, true);
  if (classes == MatchClasses::prefer) pairing.pair(order, false);
  return pairing.take();
}

}  // namespace faultwave
