// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/outcome/detection_test.h"

namespace faultwave {
namespace {

using doctest::Approx;

const BoundingBox square = {0, 0, 10, 10};
const double huge = std::numeric_limits<double>::max();
const double nan = std::nan("");

TEST_CASE("the area of a box") {
  CHECK(area(square) == 100);
  CHECK(area({-3, 2, 1, 2.5}) == 2);
  CHECK(area({0, 0, 0, 10}) == 0);
  CHECK(area({10, 0, 0, 10}) == 0);  // corners in the wrong order
  CHECK(area({10, 10, 0, 0}) == 0);  // both: the product would be positive
  CHECK(area({0, 0, 1e-200, 1e-200}) == 0);
  CHECK(area({0, 0, 1e200, 1e200}) == 0);
  CHECK(area({nan, 0, 10, 10}) == 0);
  CHECK(area({0, 0, 10, nan}) == 0);
  CHECK(area({0, 0, HUGE_VAL, 10}) == 0);
  CHECK(area({-HUGE_VAL, 0, HUGE_VAL, 10}) == 0);
}

TEST_CASE("IoU is intersection over union") {
  CHECK(iou(square, square) == 1);
  CHECK(iou(square, {0, 0, 10, 5}) == 0.5);
  CHECK(iou(square, {5, 0, 15, 10}) == Approx(50.0 / 150).epsilon(1e-15));
  CHECK(iou({5, 0, 15, 10}, square) == Approx(50.0 / 150).epsilon(1e-15));
  CHECK(iou(square, {2, 2, 4, 4}) == 0.04);
  CHECK(iou(square, {10, 0, 20, 10}) == 0);  // they touch
  CHECK(iou(square, {20, 20, 30, 30}) == 0);
  CHECK(iou(square, {-5, -5, 5, 5}) == Approx(25.0 / 175).epsilon(1e-15));
}

TEST_CASE("a box with an area is exactly itself, one without is nothing") {
  for (const BoundingBox& box : {BoundingBox{0.1, 0.2, 0.7, 0.9}, BoundingBox{1e-150, 0, 2e-150, 1e-150},
                                 BoundingBox{0, 0, 1, huge / 2}}) {
    CHECK(area(box) > 0);
    CHECK(iou(box, box) == 1);
  }
  for (const BoundingBox& box :
       {BoundingBox{1, 1, 1, 5}, BoundingBox{nan, 0, 10, 10}, BoundingBox{0, 0, HUGE_VAL, 10}}) {
    CHECK(iou(box, box) == 0);
    CHECK(iou(box, square) == 0);
    CHECK(iou(square, box) == 0);
  }
}

TEST_CASE("detections choose by score") {
  // Both overlap the only box; the second has the higher score.
  const std::vector<Detection> truth = {detection(square)};
  const std::vector<Detection> detections = {detection(square, 0.6), detection({0, 0, 10, 8}, 0.9)};
  const std::vector<Match> matches = match(truth, detections, 0.5);
  CHECK(pairs_of(matches) == "(0,1)");
  CHECK(matches[0].iou == 0.8);
}

TEST_CASE("each takes the box that overlaps it most and is free") {
  const std::vector<Detection> truth = {detection(square), detection({0, 0, 10, 9})};
  const std::vector<Detection> detections = {detection({0, 0, 10, 9}, 0.9), detection({0, 0, 10, 9}, 0.8),
                                             detection({0, 0, 10, 9}, 0.7)};
  CHECK(pairs_of(match(truth, detections, 0.5)) == "(1,0)(0,1)");
  CHECK(pairs_of(match(truth, detections, 0.95)) == "(1,0)");
}

TEST_CASE("the least IoU is enough, and no overlap never is") {
  const std::vector<Detection> truth = {detection(square)};
  CHECK(match(truth, {detection({0, 0, 10, 5})}, 0.5).size() == 1);
  CHECK(match(truth, {detection({0, 0, 10, 4.99})}, 0.5).empty());
  CHECK(match(truth, {detection({0, 0, 0.01, 0.01})}, 0).size() == 1);
  CHECK(match(truth, {detection({20, 20, 30, 30})}, 0).empty());
  CHECK(match(truth, {}, 0.5).empty());
  CHECK(match({}, truth, 0.5).empty());
}

TEST_CASE("ties go by position, and NaN scores come last") {
  const std::vector<Detection> truth = {detection(square), detection(square)};
  CHECK(pairs_of(match(truth, {detection(square, 0.5), detection(square, 0.5)}, 0.5)) == "(0,0)(1,1)");
  const std::vector<Detection> detections = {detection(square, nan), detection(square, -1),
                                             detection(square, nan), detection(square, HUGE_VAL)};
  CHECK(pairs_of(match(truth, detections, 0.5)) == "(0,3)(1,1)");
}

TEST_CASE("classes keep boxes apart, or come first") {
  // A car and a truck in nearly one place; the faulty car fits the truck's box better.
  const std::vector<Detection> truth = {detection({0, 0, 10, 9}, 1, 3), detection(square, 1, 8)};
  const std::vector<Detection> detections = {detection(square, 0.9, 3), detection(square, 0.8, 8)};
  CHECK(pairs_of(match(truth, detections, 0.5, MatchClasses::prefer)) == "(0,0)(1,1)");
  // The car became a bus: what is left over is paired.
  const std::vector<Detection> bus = {detection(square, 0.9, 6), detection(square, 0.8, 8)};
  CHECK(pairs_of(match(truth, bus, 0.5, MatchClasses::same)) == "(1,1)");
  CHECK(pairs_of(match(truth, bus, 0.5, MatchClasses::prefer)) == "(1,1)(0,0)");
}

}  // namespace
}  // namespace faultwave
