// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/boxes.h"

#include <algorithm>
#include <utility>

#include "faultwave/detection.h"
#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/outcome/criteria.h"
#include "src/outcome/detection_boxes.h"

namespace faultwave {
namespace {

using Detections = std::vector<Detection>;

/// What the four criteria share: which boxes count, and how the criterion is written. `Test` says what is
/// counted, given the boxes that count and the first number.
class Boxes final : public Criterion {
 public:
  using Test = bool (*)(const Detections& golden, const Detections& faulty, double overlap);

  Boxes(std::string name, const Arguments& arguments, Test test)
      : name_(std::move(name)),
        overlap_(share_above_zero(name_, "an IoU", arguments.number("iou"))),
        score_(least_score(name_, overlap_, arguments.number("score"))),
        test_(test) {}
  std::string name() const override { return name_; }
  std::string text() const override { return name_ + arguments_text(overlap_, score_); }

  bool fires(const OutputPair& outputs) const override {
    return test_(counting(outputs.golden), counting(outputs.faulty), overlap_);
  }

 private:
  Detections counting(const std::vector<at::Tensor>& outputs) const {
    return with_score(read_detections(outputs, {}, "criterion " + name_), score_);
  }

  std::string name_;
  double overlap_;
  double score_;
  Test test_;
};

bool lost(const Detections& golden, const Detections& faulty, double overlap) {
  return match(golden, faulty, overlap, MatchClasses::prefer).size() < golden.size();
}

bool phantom(const Detections& golden, const Detections& faulty, double overlap) {
  return match(golden, faulty, overlap, MatchClasses::prefer).size() < faulty.size();
}

bool class_changed(const Detections& golden, const Detections& faulty, double overlap) {
  const std::vector<Match> matches = match(golden, faulty, overlap, MatchClasses::prefer);
  return std::any_of(matches.begin(), matches.end(), [&](const Match& pair) {
    return golden[pair.truth].class_index != faulty[pair.detection].class_index;
  });
}

bool moved(const Detections& golden, const Detections& faulty, double overlap) {
  const std::vector<Match> matches = match(golden, faulty, 0, MatchClasses::same);
  return std::any_of(matches.begin(), matches.end(), [&](const Match& pair) { return pair.iou < overlap; });
}

}  // namespace

double share_above_zero(const std::string& name, const char* what, double value) {
  if (value > 0 && value <= 1) return value;
  throw UserError(ErrorCode::usage, "criterion " + name + "(" + format_number(value) + "): expected " + what +
                                        " above 0 and at most 1, such as 0.5");
}

double least_score(const std::string& name, double first, double score) {
  if (score >= 0 && score <= 1) return score;
  throw UserError(ErrorCode::usage, "criterion " + name + "(" + format_number(first) + "," +
                                        format_number(score) +
                                        "): expected a score from 0 to 1 as the second number, such as 0.5");
}

std::string arguments_text(double first, double score) {
  return "(" + format_number(first) + (score == kUsualScore ? "" : "," + format_number(score)) + ")";
}

std::vector<Detection> with_score(std::vector<Detection> detections, double score) {
  std::erase_if(detections, [&](const Detection& detection) { return !(detection.score >= score); });
  return detections;
}

CriterionPtr make_boxes_lost(const Arguments& arguments) {
  return std::make_shared<Boxes>("boxes_lost", arguments, lost);
}

CriterionPtr make_boxes_phantom(const Arguments& arguments) {
  return std::make_shared<Boxes>("boxes_phantom", arguments, phantom);
}

CriterionPtr make_boxes_class(const Arguments& arguments) {
  return std::make_shared<Boxes>("boxes_class", arguments, class_changed);
}

CriterionPtr make_boxes_moved(const Arguments& arguments) {
  return std::make_shared<Boxes>("boxes_moved", arguments, moved);
}

}  // namespace faultwave
