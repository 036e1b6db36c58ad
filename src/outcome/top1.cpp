// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/criteria.h"
#include "src/outcome/scores.h"

namespace faultwave {
namespace {

/// Fires if the best class is another one, or if only one of the two outputs has a best class.
class Top1 final : public Criterion {
 public:
  std::string name() const override { return "top1"; }
  std::string text() const override { return "top1"; }
  bool fires(const OutputPair& outputs) const override {
    return first_output(outputs.golden, "criterion top1").best() !=
           first_output(outputs.faulty, "criterion top1").best();
  }
  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    const NearScores near(outputs, rounding, "criterion top1");
    return near.golden.has_near_tie(0, 1, near.golden_slack) ||
           near.faulty.has_near_tie(0, 1, near.faulty_slack);
  }
};

}  // namespace

CriterionPtr make_top1(const Arguments&) {
  return std::make_shared<Top1>();
}

}  // namespace faultwave
