// SPDX-License-Identifier: Apache-2.0
#include "src/common/numbers.h"
#include "src/outcome/boxes.h"
#include "src/outcome/criteria.h"

namespace faultwave {

Registry<CriterionType>& criterion_types() {
  const Parameter score{.name = "score", .otherwise = format_number(kUsualScore)};
  static Registry<CriterionType> types({
      {"top1", {}, make_top1},
      {"top5", {}, make_top5},
      {"topk", {{.name = "k"}}, make_topk},
      {"label_topk", {{.name = "k"}}, make_label_topk},
      {"ranking", {{.name = "k"}}, make_ranking},
      {"confidence", {{.name = "x"}}, make_confidence},
      {"drop", {{.name = "x"}}, make_drop},
      {"differs", {{.name = "x"}}, make_differs},
      {"differs_relative", {{.name = "x"}}, make_differs_relative},
      {"nonfinite", {}, make_nonfinite},
      {"boxes_lost", {{.name = "iou"}, score}, make_boxes_lost},
      {"boxes_phantom", {{.name = "iou"}, score}, make_boxes_phantom},
      {"boxes_class", {{.name = "iou"}, score}, make_boxes_class},
      {"boxes_moved", {{.name = "iou"}, score}, make_boxes_moved},
      {"map", {{.name = "x"}, score}, make_map},
  });
  return types;
}

}  // namespace faultwave
