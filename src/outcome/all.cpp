// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/criteria.h"

namespace faultwave {

const std::vector<CriterionKind>& criterion_kinds() {
  static const std::vector<CriterionKind> kinds = {
      {"top1", {}, 0, make_top1},
      {"top5", {}, 0, make_top5},
      {"topk", {"k"}, 1, make_topk},
      {"label_topk", {"k"}, 1, make_label_topk},
      {"ranking", {"k"}, 1, make_ranking},
      {"confidence", {"x"}, 1, make_confidence},
      {"drop", {"x"}, 1, make_drop},
      {"differs", {"x"}, 1, make_differs},
      {"differs_relative", {"x"}, 1, make_differs_relative},
      {"nonfinite", {}, 0, make_nonfinite},
      {"boxes_lost", {"iou", "score"}, 1, make_boxes_lost},
      {"boxes_phantom", {"iou", "score"}, 1, make_boxes_phantom},
      {"boxes_class", {"iou", "score"}, 1, make_boxes_class},
      {"boxes_moved", {"iou", "score"}, 1, make_boxes_moved},
      {"map", {"x", "score"}, 1, make_map},
  };
  return kinds;
}

}  // namespace faultwave
