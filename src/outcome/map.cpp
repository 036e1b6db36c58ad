// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/boxes.h"
#include "src/outcome/criteria.h"
#include "src/outcome/detection_boxes.h"

namespace faultwave {
namespace {

/// Fires if the mean average precision of the faulty detections, with the golden ones as the truth, is below
/// x. The truth is what counts by its score; detections of any score take part, since AP ranks them. Where
/// the truth is empty there is no precision, and any detection that counts is one too many.
class Map final : public Criterion {
 public:
  explicit Map(const Arguments& arguments)
      : least_(share_above_zero("map", "a precision", arguments.number("x"))),
        score_(least_score("map", least_, arguments.number("score"))) {}
  std::string name() const override { return "map"; }
  std::string text() const override { return name() + arguments_text(least_, score_); }

  bool fires(const OutputPair& outputs) const override {
    const std::vector<Detection> truth =
        with_score(read_detections(outputs.golden, {}, "criterion map"), score_);
    const std::vector<Detection> detections = read_detections(outputs.faulty, {}, "criterion map");
    if (truth.empty()) return !with_score(detections, score_).empty();
    MeanAveragePrecision precision;
    precision.add(detections, truth);
    return precision.coco() < least_;
  }

 private:
  double least_;
  double score_;
};

}  // namespace

CriterionPtr make_map(const Arguments& arguments) {
  return std::make_shared<Map>(arguments);
}

}  // namespace faultwave
