// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/outcome/detection_test.h"

namespace faultwave {
namespace {

using Outputs = std::vector<at::Tensor>;

/// "class:score@x1,y1,x2,y2 ..." with whole numbers for the corners.
std::string text_of(const std::vector<Detection>& detections) {
  std::string text;
  for (const auto& [box, score, class_index] : detections) {
    text += std::to_string(class_index) + ":" + std::to_string(std::lround(score * 100)) + "@";
    for (const double corner : {box.x1, box.y1, box.x2, box.y2})
      text += std::to_string(std::lround(corner)) + ",";
    text.back() = ' ';
  }
  return text;
}

at::Tensor table(std::vector<float> values, int64_t columns) {
  return at::tensor(values).view({-1, columns});
}

const at::Tensor boxes = table({0, 0, 10, 10, 20, 0, 30, 10, 0, 20, 5, 25}, 4);
const at::Tensor box_scores = scores({0.9F, 0.25F, 0.5F});
const at::Tensor classes = at::tensor({7, 1, 7}, at::kLong);
const std::string three = "7:90@0,0,10,10 1:25@20,0,30,10 7:50@0,20,5,25 ";

TEST_CASE("boxes, scores and classes are told apart by shape and type, in any order") {
  CHECK(text_of(detections_of({boxes, classes, box_scores})) == three);
  CHECK(text_of(detections_of({boxes, box_scores, classes})) == three);
  CHECK(text_of(detections_of({classes, box_scores, boxes})) == three);
  const at::Tensor masks = at::zeros({3, 1, 28, 28});
  CHECK(text_of(detections_of({masks, box_scores, boxes, classes})) == three);
  CHECK(text_of(detections_of({boxes, box_scores, classes, at::tensor({3})})) == three);
  CHECK(text_of(detections_of({boxes, box_scores, classes.to(at::kInt)})) == three);
  CHECK(text_of(detections_of({boxes.to(at::kHalf), box_scores.to(at::kBFloat16), classes})) == three);
  CHECK(text_of(detections_of({boxes.t().contiguous().t(), box_scores, classes})) == three);
}

TEST_CASE("an image without detections") {
  CHECK(detections_of({at::zeros({0, 4}), at::zeros({0}, at::kLong), at::zeros({0})}).empty());
  CHECK(detections_of({at::zeros({0, 6})}).empty());
  CHECK(detections_of({at::zeros({0, 4}), at::zeros({0, 80})}).empty());
}

TEST_CASE("four boxes are not mistaken for a box") {
  const at::Tensor four = at::tensor({0.F, 0.F, 10.F, 10.F}).expand({4, 4});
  CHECK(detections_of({at::full({4}, 0.5F), at::ones({4}, at::kLong), four}).size() == 4);
}

TEST_CASE("one table holds all six") {
  const at::Tensor rows = table({0, 0, 10, 10, 0.9F, 7, 20, 0, 30, 10, 0.25F, 1.9F}, 6);
  CHECK(text_of(detections_of({rows})) == "7:90@0,0,10,10 1:25@20,0,30,10 ");
  // A class that is no number is none.
  const at::Tensor broken =
      table({0, 0, 9, 9, 1, nan_value, 0, 0, 9, 9, 1, infinity, 0, 0, 9, 9, 1, 1e30F,  //
             0, 0, 9, 9, 1, -2},
            6);
  CHECK(text_of(detections_of({broken})) == "-2:100@0,0,9,9 ");
}

TEST_CASE("boxes without area, and scores that are NaN, are left out") {
  const at::Tensor some = table({0,         0, 10,       10,     //
                                 0,         0, 0,        10,     // no width
                                 10,        0, 0,        10,     // corners in the wrong order
                                 nan_value, 0, 10,       10,     //
                                 0,         0, infinity, 10,     //
                                 0,         0, 3e38F,    3e38F,  // large, but a box
                                 0,         0, 10,       10,    0, 0, 10, 10},
                                4);
  const at::Tensor some_scores = scores({0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, nan_value, infinity});
  const auto found = detections_of({some, some_scores, at::arange(8)});
  REQUIRE(found.size() == 3);
  CHECK(found[0].class_index == 0);
  CHECK(found[1].class_index == 5);
  CHECK(found[2].class_index == 7);
  CHECK(found[2].score == HUGE_VAL);
}

TEST_CASE("the best class of an anchor is its class, and lesser boxes of one class are suppressed") {
  const at::Tensor anchors = table({0,  0, 10, 10,   // best
                                    0,  0, 10, 9,    // IoU 0.9 with it, same class: suppressed
                                    0,  0, 10, 9,    // another class: stays
                                    0,  0, 10, 5,    // IoU 0.5, not more than 0.5: stays
                                    50, 0, 60, 10},  // elsewhere
                                   4);
  const at::Tensor class_scores = table({0.9F, 0.1F, 0.8F, 0.2F, 0.3F, 0.7F, 0.6F, 0.6F, 0.02F, 0.04F}, 2);
  const std::string expected = "0:90@0,0,10,10 1:70@0,0,10,9 0:60@0,0,10,5 ";
  CHECK(text_of(detections_of({anchors, class_scores})) == expected);  // the last is below 0.05
  CHECK(text_of(detections_of({class_scores, anchors})) == expected);

  RawDetector raw;
  raw.score = 0.01;
  raw.iou = 0.4;
  CHECK(text_of(detections_of({anchors, class_scores}, raw)) ==
        "0:90@0,0,10,10 1:70@0,0,10,9 1:4@50,0,60,10 ");
  raw.iou = 1;  // suppresses nothing
  raw.candidates = 2;
  CHECK(text_of(detections_of({anchors, class_scores}, raw)) == "0:90@0,0,10,10 0:80@0,0,10,9 ");
  raw.background = 0;
  CHECK(text_of(detections_of({anchors, class_scores}, raw)) == "1:70@0,0,10,9 1:4@50,0,60,10 ");
}

TEST_CASE("a box that was suppressed suppresses none") {
  // Each overlaps the next by 9 of 11; the first and the third by 8 of 12.
  const at::Tensor row = table({0, 0, 10, 10, 1, 0, 11, 10, 2, 0, 12, 10}, 4);
  RawDetector raw;
  raw.iou = 0.7;
  CHECK(text_of(detections_of({row, table({0.9F, 0.8F, 0.7F}, 1)}, raw)) == "0:90@0,0,10,10 0:70@2,0,12,10 ");
}

TEST_CASE("NaN among the scores of an anchor is passed over") {
  const at::Tensor two = table({0, 0, 10, 10, 20, 0, 30, 10}, 4);
  const at::Tensor class_scores = table({nan_value, 0.5F, 0.25F, nan_value, nan_value, nan_value}, 3);
  CHECK(text_of(detections_of({two, class_scores})) == "1:50@0,0,10,10 ");
}

TEST_CASE("with four classes the boxes come first") {
  const at::Tensor two = table({0, 0, 10, 10, 20, 0, 30, 10}, 4);
  const at::Tensor four_classes = table({0.1F, 0.2F, 0.9F, 0.3F, 0.8F, 0.1F, 0.1F, 0.1F}, 4);
  CHECK(text_of(detections_of({two, four_classes})) == "2:90@0,0,10,10 0:80@20,0,30,10 ");
}

TEST_CASE("other outputs are refused with what was expected") {
  const auto refusal = [](const Outputs& outputs) {
    return message_of(ErrorCode::bad_input, [&] { detections_of(outputs); });
  };
  CHECK(
      refusal({scores({1, 2, 3})}) ==
      "a list of detections needs the outputs of a detector, floating-point boxes [N, 4] with scores [N] and "
      "integer classes [N], boxes and scores and classes in one [N, 6], or boxes [A, 4] with scores [A, C], "
      "and got Float [3]");
  CHECK(contains(refusal({}), "got no outputs"));
  CHECK(contains(refusal({boxes, box_scores}), "got Float [3, 4], Float [3]"));
  CHECK(contains(refusal({boxes, box_scores, box_scores}), "[3]"));                  // no integers
  CHECK(contains(refusal({boxes, box_scores, at::zeros({3}, at::kBool)}), "Bool"));  // nor bools
  CHECK(contains(refusal({boxes.to(at::kLong), box_scores, classes}), "Long [3, 4]"));
  CHECK(contains(refusal({boxes, scores({1, 2}), classes}), "Float [2]"));  // of other boxes
  CHECK(contains(refusal({table({0, 0, 1, 1, 1, 1}, 6), box_scores}), "Float [1, 6]"));
  CHECK(contains(refusal({at::zeros({1, 3, 4}), at::zeros({1, 3}), classes}), "[1, 3, 4]"));
}

}  // namespace
}  // namespace faultwave
