// SPDX-License-Identifier: Apache-2.0
// boxes_lost, boxes_phantom, boxes_class, boxes_moved and map.
#include "tests/outcome/detection_test.h"

namespace faultwave {
namespace {

using Detections = std::vector<Detection>;

const Detection dog = detection({0, 0, 10, 10}, 0.9, 18);
const Detection cat = detection({50, 0, 60, 10}, 0.8, 17);
const Detection faint = detection({0, 50, 10, 60}, 0.25, 1);
const Detections golden = {dog, cat, faint};

Detection with_box(Detection changed, BoundingBox box) {
  changed.box = box;
  return changed;
}

Detection with_score(Detection changed, double score) {
  changed.score = score;
  return changed;
}

Detection with_class(Detection changed, int64_t class_index) {
  changed.class_index = class_index;
  return changed;
}

/// Letters of the criteria that fire: l(ost), p(hantom), c(lass), m(oved), all at IoU 0.5.
std::string firing(const Detections& before, const Detections& after, const std::string& score = "") {
  std::string text;
  for (const char* name : {"boxes_lost", "boxes_phantom", "boxes_class", "boxes_moved"}) {
    if (fires(name + ("(0.5" + score + ")"), outputs_of(before), outputs_of(after))) text += name[6];
  }
  return text;
}

TEST_CASE("nothing fires where boxes stay, in whatever order") {
  CHECK(firing(golden, golden).empty());
  CHECK(firing(golden, {faint, cat, dog}).empty());
  CHECK(firing({}, {}).empty());
  CHECK(firing(golden, {with_box(dog, {1, 0, 10, 10}), with_score(cat, 0.6), faint}).empty());
}

TEST_CASE("a box is lost") {
  CHECK(firing(golden, {dog, faint}) == "l");
  CHECK(firing(golden, {}) == "l");
  CHECK(firing(golden, {dog, with_score(cat, 0.49), faint}) == "l");  // as if it were not there
  CHECK(firing(golden, {dog, with_score(cat, 0.5), faint}).empty());
  CHECK(firing(golden, {dog, cat}).empty());  // the faint one did not count
}

TEST_CASE("a box appears") {
  CHECK(firing(golden, {dog, cat, faint, detection({80, 80, 90, 90}, 0.7, 18)}) == "p");
  CHECK(firing(golden, {dog, cat, faint, detection({80, 80, 90, 90}, 0.4, 18)}).empty());
  CHECK(firing({}, golden) == "p");
  CHECK(firing(golden, {dog, cat, with_score(faint, 0.6)}) == "p");
  CHECK(firing(golden, {dog, dog, cat}) == "p");  // one to one: the second dog has no partner
}

TEST_CASE("a box changes its class") {
  CHECK(firing(golden, {dog, with_class(cat, 18)}) == "c");
  // It moved as well, but is still the same box.
  CHECK(firing(golden, {dog, with_class(with_box(cat, {50, 0, 60, 8}), 18)}) == "c");
}

TEST_CASE("a box moves") {
  // 3 of 10 left in common of 17: IoU 3/17, too little to be the same one.
  CHECK(firing(golden, {dog, with_box(cat, {57, 0, 67, 10})}) == "lpm");
  CHECK(firing(golden, {dog, with_box(cat, {70, 0, 80, 10})}) == "lp");  // no overlap: lost, not moved
  CHECK(firing(golden, {dog, with_box(cat, {50, 0, 60, 5})}).empty());   // exactly 0.5
  CHECK(firing(golden, {dog, with_class(with_box(cat, {57, 0, 67, 10}), 18)}) == "lp");
  const auto shifted = outputs_of({dog, with_box(cat, {51, 0, 61, 10})});  // IoU 9/11
  CHECK(fires("boxes_moved(0.9)", outputs_of(golden), shifted));
  CHECK_FALSE(fires("boxes_moved(0.8)", outputs_of(golden), shifted));
  CHECK(fires("boxes_lost(0.9)", outputs_of(golden), shifted));
}

TEST_CASE("the second number says which boxes count") {
  CHECK(firing(golden, {dog, cat}, ",0.25") == "l");
  CHECK(firing(golden, {dog, cat}, ",0.26").empty());
  CHECK(firing(golden, {}, ",0.95").empty());
  CHECK(firing(golden, {dog, with_score(cat, 0.001), faint}, ",0").empty());
}

TEST_CASE("two classes in one place are not a change of class") {
  const Detection van = with_class(with_box(dog, {0, 0, 10, 9}), 3);
  CHECK(firing({dog, van}, {van, dog}).empty());
  // The van drifts to where the dog is, and ranks first.
  CHECK(firing({dog, van}, {with_score(with_box(van, dog.box), 0.99), dog}).empty());
}

TEST_CASE("a box that is no box any more is lost, not a phantom") {
  CHECK(firing(golden, {dog, with_box(cat, {nan_value, 0, 60, 10})}) == "l");
  CHECK(firing(golden, {dog, with_box(cat, {60, 0, 50, 10})}) == "l");
  CHECK(firing(golden, {dog, with_box(cat, {50, 0, infinity, 10})}) == "l");
  CHECK(firing(golden, {dog, with_score(cat, nan_value)}) == "l");
  // One that never was one cannot be lost.
  CHECK(firing({dog, with_box(cat, {60, 0, 50, 10})}, {dog}).empty());
}

TEST_CASE("map compares with the golden detections as the truth") {
  const auto map = [](const char* criterion, const Detections& after) {
    return fires(criterion, outputs_of(golden), outputs_of(after));
  };
  CHECK_FALSE(map("map(1)", golden));
  // One of two classes is gone: 1/2. The faint box is no truth.
  CHECK_FALSE(map("map(0.5)", {dog}));
  CHECK(map("map(0.51)", {dog}));
  CHECK(map("map(0.01)", {}));
  // IoU 0.8: right at seven of the ten IoUs, 0.50 to 0.80; (1 + 0.7) / 2 = 0.85.
  const Detection cut = with_box(cat, {50, 0, 60, 8});
  CHECK_FALSE(map("map(0.84)", {dog, cut}));
  CHECK(map("map(0.86)", {dog, cut}));
  // A lower score alone changes no ranking, and a phantom that ranks last takes nothing away.
  CHECK_FALSE(map("map(1)", {with_score(dog, 0.1), cat}));
  CHECK_FALSE(map("map(1)", {dog, cat, detection({80, 80, 90, 90}, 0.5, 18)}));
  // One that ranks first does: its class has precision 1/2.
  CHECK(map("map(0.76)", {dog, cat, detection({80, 80, 90, 90}, 0.99, 18)}));
  CHECK_FALSE(map("map(0.75)", {dog, cat, detection({80, 80, 90, 90}, 0.99, 18)}));
}

TEST_CASE("map of an image without golden boxes") {
  CHECK_FALSE(fires("map(1)", outputs_of({}), outputs_of({})));
  CHECK_FALSE(fires("map(1)", outputs_of({faint}), outputs_of({faint})));
  CHECK_FALSE(fires("map(1)", outputs_of({}), outputs_of({faint})));
  CHECK(fires("map(0.01)", outputs_of({}), outputs_of({dog})));
  CHECK(fires("map(1,0.2)", outputs_of({faint}), outputs_of({})));
}

TEST_CASE("no criterion fires on what a detector gives without a fault") {
  const std::vector<CriterionPtr> criteria = {
      parse_criterion("boxes_lost(1,0)"), parse_criterion("boxes_phantom(1,0)"),
      parse_criterion("boxes_class(1,0)"), parse_criterion("boxes_moved(1,0)"), parse_criterion("map(1,0)")};
  at::manual_seed(3);
  for (int image = 0; image < 30; ++image) {
    const at::Tensor corner = at::rand({40, 2}) * 20;
    const at::Tensor boxes = at::cat({corner, corner + at::rand({40, 2}) * 10 - 1}, 1);
    const at::Tensor box_scores = at::rand({40}).mul(10).floor().div(10);  // with ties
    check_criteria({boxes, at::randint(0, 3, {40}, at::kLong), box_scores}, criteria);
    check_criteria({boxes, at::rand({40, 5})}, criteria);
    check_criteria({boxes.repeat({2, 1}), at::randint(0, 3, {40}, at::kLong).repeat({2}), at::rand({80})},
                   criteria);  // each twice
  }
}

TEST_CASE("detection criteria need a detector") {
  for (const char* criterion :
       {"boxes_lost(0.5)", "boxes_phantom(0.5)", "boxes_class(0.5)", "boxes_moved(0.5)", "map(0.5)"}) {
    const std::string message =
        message_of(ErrorCode::bad_input, [&] { fires(criterion, scores({1, 2}), scores({1, 2})); });
    const std::string name = parse_criterion(criterion)->name();
    CHECK(message.rfind("criterion " + name + " needs the outputs of a detector", 0) == 0);
  }
}

TEST_CASE("judge of detections that differ in number") {
  const auto before = outputs_of(golden);
  const auto after = outputs_of({dog});
  const Outcome outcome =
      judge({before, after}, {parse_criterion("boxes_phantom(0.5)"), parse_criterion("boxes_lost(0.5)"),
                              parse_criterion("nonfinite")});
  CHECK(outcome.kind == OutcomeClass::sdc);
  CHECK(outcome.fired == 0b010);
}

}  // namespace
}  // namespace faultwave
