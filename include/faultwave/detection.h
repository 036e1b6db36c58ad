// SPDX-License-Identifier: Apache-2.0
// Boxes of object detectors: how they are read from a network's outputs, paired, and scored.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

/// Two opposite corners, in whatever unit the network uses: pixels, or shares of the image.
struct BoundingBox {
  double x1 = 0;
  double y1 = 0;
  double x2 = 0;
  double y2 = 0;
};

/// (x2 - x1) * (y2 - y1), where width and height are above 0 and their product is within half of what an FP64
/// number holds; 0 for anything else: corners in the wrong order, a NaN, an infinite box.
double area(const BoundingBox& box);

/// Area of the intersection over area of the union, in FP64, from 0 to 1; 0 where a box has no area. A box
/// with an area and itself give exactly 1.
double iou(const BoundingBox& a, const BoundingBox& b);

struct Detection {
  BoundingBox box;
  double score = 0;
  int64_t class_index = 0;
};

/// How the raw outputs of a detector, which leaves the last step to the user, become detections.
struct RawDetector {
  double score = 0.05;        ///< anchors below this score are dropped first
  int64_t candidates = 1000;  ///< of the rest the best so many are kept
  double iou = 0.5;         ///< of two boxes of one class that overlap by more, the one with less score goes
  int64_t background = -1;  ///< class that means "nothing here"; anchors that it is best for are dropped
};

/// The detections of one image, in the order of the outputs. Recognised by shape and type, in this order:
/// - boxes [N, 4] (x1, y1, x2, y2) and scores [N] of floating point, and classes [N] of integers, in any
///   order and among other outputs; the first that fits is taken;
/// - one output alone, floating point, [N, 6]: x1, y1, x2, y2, score, class (rounded towards zero);
/// - boxes [A, 4], and after or before it scores [A, C], one column a class, both floating point. The
///   score of an anchor is its highest (NaN aside), its class the first with that score; then non-maximum
///   suppression as `raw` says, within each class, by descending score. Where C is 4, the first of the two
///   is the boxes. These come out by descending score.
///
/// Left out are boxes without area, see above, and those whose score, or class in a [N, 6], is no number.
/// Throws UserError(bad_input) if the outputs are of none of these kinds.
std::vector<Detection> detections_of(const std::vector<at::Tensor>& outputs, const RawDetector& raw = {});

enum class MatchClasses : uint8_t {
  same,    ///< only boxes of one class are paired
  prefer,  ///< first boxes of one class, then what is left over, whatever its class
};

struct Match {
  size_t truth;      ///< position in `truth`
  size_t detection;  ///< position in `detections`
  double iou;
};

/// Pairs boxes one to one, as the COCO benchmark does: detections choose by descending score (equal ones by
/// position, NaN last), each the box of the truth that overlaps it most and is still free (of equal ones the
/// first), if their IoU is at least `least` and above 0. Scores of the truth mean nothing. In the order of
/// choice.
std::vector<Match> match(const std::vector<Detection>& truth, const std::vector<Detection>& detections,
                         double least, MatchClasses classes = MatchClasses::same);

/// Average precision of ranked detections, interpolated at the recalls 0, 0.01, ..., 1 as COCO does: at each
/// of them the highest precision that is had at this recall or a higher one, 0 if the recall is never
/// reached; the mean of the 101. `right`: for each detection, best first, whether it found an object.
/// `objects`: how many there were to find; NaN for none.
double average_precision(const std::vector<bool>& right, int64_t objects);

/// Mean average precision over a set of images, by the rules of the COCO benchmark (T.-Y. Lin et al.,
/// "Microsoft COCO: Common Objects in Context", ECCV 2014) for objects of any size, none of them a crowd: at
/// most 100 detections an image and class; classes that the truth lacks do not count, nor do detections of
/// them. The truth may be what people drew, or the golden detections: then it says how much of them is left.
class MeanAveragePrecision {
 public:
  /// Adds one image. Scores of the truth mean nothing.
  void add(const std::vector<Detection>& detections, const std::vector<Detection>& truth);

  /// Average precision of one class where a detection is right if its IoU is at least `iou`; NaN for a class
  /// that the truth lacks.
  double of_class(int64_t class_index, double iou) const;
  /// Mean over the classes of the truth; NaN if there are none. COCO's AP50 is at(0.5).
  double at(double iou) const;
  /// Mean of at() over the IoUs 0.50, 0.55, ..., 0.95: COCO's AP.
  double coco() const;

 private:
  struct Image {
    std::vector<Detection> detections;
    std::vector<Detection> truth;
  };
  std::map<int64_t, std::vector<Image>> classes_;
};

}  // namespace faultwave
#pragma GCC visibility pop
