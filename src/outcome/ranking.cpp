// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/criteria.h"
#include "src/outcome/scores.h"

namespace faultwave {
namespace {

/// The k best classes, best first; fewer where the others have no number.
std::vector<int64_t> best_classes(const Scores& scores, int64_t count) {
  std::vector<int64_t> best = scores.order(count);
  while (!best.empty() && scores.is_nan(best.back()))
    best.pop_back();  // NaN ranks last
  return best;
}

/// Fires if the list of the k best classes is another one, or has another order.
class Ranking final : public Criterion {
 public:
  explicit Ranking(int64_t count) : count_(count) {}
  std::string name() const override { return "ranking"; }
  std::string text() const override { return "ranking(" + std::to_string(count_) + ")"; }
  bool fires(const OutputPair& outputs) const override {
    return best_classes(first_output(outputs.golden, "criterion ranking"), count_) !=
           best_classes(first_output(outputs.faulty, "criterion ranking"), count_);
  }
  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    const NearScores near(outputs, rounding, "criterion ranking");
    return near.golden.has_near_tie(0, count_, near.golden_slack) ||
           near.faulty.has_near_tie(0, count_, near.faulty_slack);
  }

 private:
  int64_t count_;
};

}  // namespace

CriterionPtr make_ranking(const Arguments& arguments) {
  return std::make_shared<Ranking>(class_count("ranking", arguments));
}

}  // namespace faultwave
