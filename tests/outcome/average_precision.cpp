// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/outcome/detection_test.h"

namespace faultwave {
namespace {

using doctest::Approx;
using Detections = std::vector<Detection>;

TEST_CASE("average precision of ranked detections") {
  CHECK(average_precision({true}, 1) == 1);
  CHECK(average_precision({true, true, true}, 3) == 1);
  CHECK(average_precision({false}, 1) == 0);
  CHECK(average_precision({}, 1) == 0);
  CHECK(average_precision({false, true}, 1) == 0.5);
  CHECK(average_precision({true, false, false}, 1) == 1);  // what ranks behind takes nothing away
  CHECK(std::isnan(average_precision({}, 0)));
  CHECK(std::isnan(average_precision({false}, 0)));
  // Recall 1/2 covers the recalls 0 to 0.50: 51 of 101.
  CHECK(average_precision({true}, 2) == Approx(51.0 / 101).epsilon(1e-15));
  // Recall 29/100 covers 0 to 0.29, which 0.29 as a rounded number might miss.
  CHECK(average_precision(std::vector<bool>(29, true), 100) == Approx(30.0 / 101).epsilon(1e-15));
}

TEST_CASE("precision at a recall is the highest that is had there or further on") {
  // Precision 1, 1/2, 1/3, 1/2, 3/5 and recall 1/4, 1/4, 1/4, 2/4, 3/4: recalls 0 to 0.25 have 1, 26 of them;
  // those to 0.50 and to 0.75 have 3/5, 50 of them; the rest is not reached.
  CHECK(average_precision({true, false, false, true, true}, 4) ==
        Approx((26 + 50 * 0.6) / 101).epsilon(1e-15));
}

// Two classes, three images. BoundingBox by box, with what class 0 finds at IoU 0.5:
//   image 1: truth A (class 0) and D (class 1)
//            0.90 class 0, exactly A                    right
//            0.95 class 1, lower half of D, IoU 0.5
//   image 2: truth B and C (class 0)
//            0.70 class 0, on B with IoU 0.8            right
//            0.60 class 0, exactly B, which is taken    wrong
//            0.50 class 0, on C with IoU 0.6            right
//   image 3: truth E (class 1)
//            0.80 class 0, on nothing                   wrong
// Class 0 by score: right, wrong, right, wrong, right, of 3 objects. Precision 1, 1/2, 2/3, 1/2, 3/5, so at
// least 1, 2/3, 2/3, 3/5, 3/5 further on; recall 1/3 up to 0.33 (34 recalls), 2/3 up to 0.66 (33), 1 (34):
//   AP = (34 * 1 + 33 * 2/3 + 34 * 3/5) / 101 = 76.4 / 101.
// Class 1: right, of 2 objects: 51 / 101.
MeanAveragePrecision worked_example() {
  const BoundingBox a = {0, 0, 10, 10};
  const BoundingBox b = {0, 0, 10, 10};
  const BoundingBox c = {20, 0, 30, 10};
  const BoundingBox d = {50, 50, 60, 60};
  const BoundingBox e = {50, 50, 60, 60};
  MeanAveragePrecision precision;
  precision.add({detection(a, 0.9, 0), detection({50, 50, 60, 55}, 0.95, 1)},
                {detection(a, 1, 0), detection(d, 1, 1)});
  precision.add({detection({20, 0, 30, 6}, 0.5, 0), detection(b, 0.6, 0), detection({0, 0, 8, 10}, 0.7, 0)},
                {detection(b, 1, 0), detection(c, 1, 0)});
  precision.add({detection({70, 70, 80, 80}, 0.8, 0)}, {detection(e, 1, 1)});
  return precision;
}

TEST_CASE("two classes, three images, one IoU") {
  const MeanAveragePrecision precision = worked_example();
  CHECK(precision.of_class(0, 0.5) == Approx(76.4 / 101).epsilon(1e-14));
  CHECK(precision.of_class(1, 0.5) == Approx(51.0 / 101).epsilon(1e-14));
  CHECK(precision.at(0.5) == Approx(127.4 / 202).epsilon(1e-14));
  CHECK(std::isnan(precision.of_class(2, 0.5)));
}

TEST_CASE("two classes, three images, COCO's ten IoUs") {
  const MeanAveragePrecision precision = worked_example();
  // From 0.65 on C is missed: right, wrong, right: (34 + 22) / 101.
  CHECK(precision.of_class(0, 0.6) == Approx(76.4 / 101).epsilon(1e-14));
  CHECK(precision.of_class(0, 0.65) == Approx(56.0 / 101).epsilon(1e-14));
  CHECK(precision.of_class(0, 0.8) == Approx(56.0 / 101).epsilon(1e-14));
  // From 0.85 on the 0.70 is wrong too, and B goes to the 0.60: right, wrong, wrong, right, wrong. Precision
  // 1, 1/2, 1/3, 1/2, 2/5: (34 + 33 / 2) / 101.
  CHECK(precision.of_class(0, 0.85) == Approx(50.5 / 101).epsilon(1e-14));
  // D is found at 0.5 only.
  CHECK(precision.of_class(1, 0.55) == 0);
  // 0.50 to 0.60, 0.65 to 0.80, 0.85 to 0.95, and class 1 at 0.50; two classes, ten IoUs.
  CHECK(precision.coco() == Approx((3 * 76.4 + 4 * 56 + 3 * 50.5 + 51) / 101 / 20).epsilon(1e-14));
}

TEST_CASE("the order of the images means nothing") {
  const BoundingBox box = {0, 0, 10, 10};
  const Detections truth = {detection(box)};
  MeanAveragePrecision forwards;
  forwards.add({detection(box, 0.9)}, truth);
  forwards.add({detection({50, 50, 60, 60}, 0.8)}, truth);
  forwards.add({detection(box, 0.7)}, truth);
  MeanAveragePrecision backwards;
  backwards.add({detection(box, 0.7)}, truth);
  backwards.add({detection({50, 50, 60, 60}, 0.8)}, truth);
  backwards.add({detection(box, 0.9)}, truth);
  // right, wrong, right of 3: 34 recalls with 1, 33 with 2/3.
  CHECK(forwards.at(0.5) == Approx(56.0 / 101).epsilon(1e-14));
  CHECK(backwards.at(0.5) == forwards.at(0.5));
}

TEST_CASE("a box of another image is not found") {
  const BoundingBox box = {0, 0, 10, 10};
  MeanAveragePrecision precision;
  precision.add({detection(box)}, {});
  precision.add({}, {detection(box)});
  CHECK(precision.at(0.5) == 0);
}

TEST_CASE("classes without truth do not count, and nothing at all is no number") {
  const BoundingBox box = {0, 0, 10, 10};
  MeanAveragePrecision precision;
  CHECK(std::isnan(precision.at(0.5)));
  CHECK(std::isnan(precision.coco()));
  precision.add({detection(box, 0.9, 5)}, {});
  CHECK(std::isnan(precision.coco()));
  precision.add({detection(box, 0.9, 1), detection(box, 0.9, 2)}, {detection(box, 1, 1)});
  CHECK(precision.coco() == 1);
  precision.add({}, {detection(box, 1, 3)});  // a class that is never found counts as 0
  CHECK(precision.coco() == 0.5);
}

TEST_CASE("at most a hundred detections an image and class, the best") {
  const BoundingBox box = {0, 0, 10, 10};
  const BoundingBox elsewhere = {50, 50, 60, 60};
  const auto with_rank = [&](int rank) {
    Detections detections(rank - 1, detection(elsewhere, 0.9));
    detections.insert(detections.begin(), detection(box, 0.1));  // last by score
    MeanAveragePrecision precision;
    precision.add(detections, {detection(box)});
    return precision.at(0.5);
  };
  CHECK(with_rank(100) == Approx(0.01).epsilon(1e-14));
  CHECK(with_rank(101) == 0);
}

TEST_CASE("NaN scores rank last") {
  const BoundingBox box = {0, 0, 10, 10};
  MeanAveragePrecision precision;
  precision.add({detection(box, std::nan("")), detection({50, 50, 60, 60}, 0.1)}, {detection(box)});
  CHECK(precision.at(0.5) == 0.5);
}

}  // namespace
}  // namespace faultwave
