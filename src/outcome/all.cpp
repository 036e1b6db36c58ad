// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/criteria.h"

namespace faultwave {

const std::vector<CriterionKind>& criterion_kinds() {
  static const std::vector<CriterionKind> kinds = {
      {"top1", "top1", 0, make_top1},
      {"top5", "top5", 0, make_top5},
      {"confidence", "confidence(x)", 1, make_confidence},
      {"nonfinite", "nonfinite", 0, make_nonfinite},
  };
  return kinds;
}

}  // namespace faultwave
