// SPDX-License-Identifier: Apache-2.0
#include "faultwave/error.h"

#include "src/outcome/criteria.h"
#include "src/outcome/scores.h"

namespace faultwave {
namespace {

/// Fires if the best class of the golden output is not among the k best of the faulty one: the answer is
/// lost, where top5 asks whether the new answer was far-fetched.
class Topk final : public Criterion {
 public:
  explicit Topk(int64_t count) : count_(count) {}
  std::string name() const override { return "topk"; }
  std::string text() const override { return "topk(" + std::to_string(count_) + ")"; }
  bool fires(const OutputPair& outputs) const override {
    const int64_t best = first_output(outputs.golden, "criterion topk").best();
    const Scores faulty = first_output(outputs.faulty, "criterion topk");
    if (best < 0) return faulty.best() >= 0;
    return !faulty.is_among(best, count_);
  }
  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    const NearScores near(outputs, rounding, "criterion topk");
    return near.golden.has_near_tie(0, 1, near.golden_slack) ||
           near.faulty.has_near_tie(count_ - 1, count_, near.faulty_slack);
  }

 private:
  int64_t count_;
};

/// Fires if the right class was among the k best and no longer is.
class LabelTopk final : public Criterion {
 public:
  explicit LabelTopk(int64_t count) : count_(count) {}
  std::string name() const override { return "label_topk"; }
  std::string text() const override { return "label_topk(" + std::to_string(count_) + ")"; }
  bool fires(const OutputPair& outputs) const override {
    const Scores golden = first_output(outputs.golden, "criterion label_topk");
    const Scores faulty = first_output(outputs.faulty, "criterion label_topk");
    const int64_t label = label_of(outputs, golden.classes());
    return golden.is_among(label, count_) && !faulty.is_among(label, count_);
  }
  bool is_near_border(const OutputPair& outputs, double rounding) const override {
    const NearScores near(outputs, rounding, "criterion label_topk");
    return near.golden.has_near_tie(count_ - 1, count_, near.golden_slack) ||
           near.faulty.has_near_tie(count_ - 1, count_, near.faulty_slack);
  }

 private:
  /// A label of no class is refused rather than never found: labels are off by one more often than one
  /// thinks.
  static int64_t label_of(const OutputPair& outputs, int64_t classes) {
    if (!outputs.label) {
      throw UserError(
          ErrorCode::bad_input,
          "criterion label_topk needs the right class of each input, and there are no labels: give "
          "labels, or count topk");
    }
    if (*outputs.label < 0 || *outputs.label >= classes) {
      throw UserError(ErrorCode::bad_input,
                      "criterion label_topk: the label " + std::to_string(*outputs.label) +
                          " is none of the classes that the network tells apart, 0 to " +
                          std::to_string(classes - 1));
    }
    return *outputs.label;
  }

  int64_t count_;
};

}  // namespace

CriterionPtr make_topk(const Arguments& arguments) {
  return std::make_shared<Topk>(class_count("topk", arguments));
}

CriterionPtr make_label_topk(const Arguments& arguments) {
  return std::make_shared<LabelTopk>(class_count("label_topk", arguments));
}

}  // namespace faultwave
