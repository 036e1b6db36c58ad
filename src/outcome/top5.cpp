// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/criteria.h"
#include "src/outcome/scores.h"

namespace faultwave {
namespace {

/// Fires if the best class of the faulty output is not among the five best of the golden one. With five
/// classes or fewer that takes a NaN.
class Top5 final : public Criterion {
 public:
  std::string name() const override { return "top5"; }
  std::string text() const override { return "top5"; }
  bool fires(const OutputPair& outputs) const override {
    const Scores golden = first_output(outputs.golden, "criterion top5");
    const int64_t best = first_output(outputs.faulty, "criterion top5").best();
    if (best < 0) return golden.best() >= 0;
    return !golden.is_among(best, 5);
  }
  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    const NearScores near(outputs, rounding, "criterion top5");
    return near.golden.has_near_tie(4, 5, near.golden_slack) ||
           near.faulty.has_near_tie(0, 1, near.faulty_slack);
  }
};

}  // namespace

CriterionPtr make_top5(const Arguments&) {
  return std::make_shared<Top5>();
}

}  // namespace faultwave
