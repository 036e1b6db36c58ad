// SPDX-License-Identifier: Apache-2.0
// Which criteria are chosen for which outputs, and what is odd about outputs.
#include <ATen/ATen.h>

#include <limits>

#include <doctest/doctest.h>

#include "faultwave/outcome.h"

#include "src/outcome/doubts.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using Texts = std::vector<std::string>;

Texts chosen(const std::vector<Outputs>& golden) {
  const ChosenCriteria criteria = choose_criteria(golden);
  CHECK(criteria.is_judged == judges_finite(criteria.criteria));
  std::vector<CriterionPtr> parsed;
  for (const std::string& text : criteria.criteria)
    parsed.push_back(parse_criterion(text));
  for (const Outputs& outputs : golden)
    check_criteria(outputs, parsed);  // they can read what they were chosen for
  return criteria.criteria;
}

Texts doubts(const Outputs& golden, const Texts& criteria) {
  std::vector<CriterionPtr> parsed;
  for (const std::string& text : criteria)
    parsed.push_back(parse_criterion(text));
  return doubts_about({golden}, parsed);
}

/// A hundred classes of which one has nearly all.
at::Tensor sure_scores(int64_t classes = 100) {
  at::Tensor scores = at::linspace(-1, 1, classes);
  scores[3] = 20;
  return scores;
}

/// 384 values of either sign with a length of 1.
at::Tensor embedding() {
  const at::Tensor values = at::linspace(-1, 1, 384);
  return values / values.norm();
}

const Texts kOfClasses = {"top1", "top5", "confidence(0.2)", "nonfinite"};
const Texts kNotJudged = {"nonfinite"};

TEST_CASE("scores of classes get the criteria of classifiers, without a top five where there are no more") {
  CHECK(chosen({{sure_scores()}}) == kOfClasses);
  CHECK(chosen({{sure_scores().view({100, 1, 1})}}) == kOfClasses);
  CHECK(chosen({{sure_scores(), at::zeros({3, 3})}}) == kOfClasses);
  CHECK(chosen({{at::tensor({-1.0F, 2.0F, 0.5F})}}) == Texts{"top1", "confidence(0.2)", "nonfinite"});
  CHECK(choose_criteria({{sure_scores()}}).reason == "scores of 100 classes");
}

TEST_CASE("probabilities are read as they are, not through another softmax") {
  const at::Tensor probabilities = at::softmax(at::linspace(-1, 1, 8), 0);
  CHECK(chosen({{probabilities}}) == Texts{"top1", "top5", "differs(0.2)", "nonfinite"});
  // differs would read the second output too.
  CHECK(chosen({{probabilities, at::zeros({3})}}) == Texts{"top1", "top5", "nonfinite"});
  // One input's scores may sum to 1 by chance.
  CHECK(chosen({{probabilities}, {at::linspace(-1, 1, 8)}}) == kOfClasses);
}

TEST_CASE("a single number is judged if it lies from 0 to 1") {
  CHECK(chosen({{at::full({1}, 0.25)}, {at::full({1}, 1.0)}}) == Texts{"differs(0.2)", "nonfinite"});
  CHECK(chosen({{at::full({1}, 0.25)}, {at::full({1}, 1.5)}}) == kNotJudged);
  CHECK(chosen({{at::full({}, 42.0)}}) == kNotJudged);
}

TEST_CASE("a vector of length 1 is an embedding") {
  CHECK(chosen({{embedding()}}) == kNotJudged);
  CHECK(choose_criteria({{embedding()}}).reason == "an embedding of 384 values");
  CHECK(chosen({{embedding()}, {2 * embedding()}}) == kOfClasses);
  CHECK(chosen({{at::tensor({0.6F, -0.8F})}}) == Texts{"top1", "confidence(0.2)", "nonfinite"});
}

TEST_CASE("detectors are told by their outputs, and get the criteria of boxes") {
  const Texts boxes = {"boxes_lost(0.5)", "boxes_phantom(0.5)", "boxes_class(0.5)", "boxes_moved(0.5)",
                       "nonfinite"};
  const at::Tensor corners = at::tensor({0.0F, 0.0F, 2.0F, 2.0F, 1.0F, 1.0F, 5.0F, 6.0F}).view({2, 4});
  const at::Tensor scores = at::tensor({0.9F, 0.3F});
  const at::Tensor classes = at::tensor({7, 1}, at::kLong);
  CHECK(chosen({{corners, scores, classes}}) == boxes);
  CHECK(chosen({{scores, corners, classes}}) == boxes);
  CHECK(chosen({{at::zeros({0, 4}), at::zeros({0}), at::zeros({0}, at::kLong)}}) == boxes);
  CHECK(chosen({{at::cat({corners, scores.view({2, 1}), at::ones({2, 1})}, 1)}}) == boxes);
  CHECK(chosen({{corners, at::full({2, 3}, 0.5)}}) == boxes);
  // Logits need a sigmoid first, and tables without a box are any tables.
  CHECK(chosen({{corners, 10 * scores, classes}}) == kNotJudged);
  CHECK(chosen({{at::zeros({5, 6})}}) == kNotJudged);
}

TEST_CASE("integers are compared exactly, quantised scores without probabilities") {
  CHECK(chosen({{at::tensor({285}, at::kLong)}}) == Texts{"differs(0)"});
  CHECK(chosen({{at::zeros({4, 4}, at::kBool), at::zeros({2}, at::kInt)}}) == Texts{"differs(0)"});
  CHECK(chosen({{at::quantize_per_tensor(at::linspace(0, 3, 9), 0.1, 0, at::kQUInt8)}}) ==
        Texts{"top1", "top5"});
}

TEST_CASE("where nothing fits, nothing is judged but NaN and infinity") {
  CHECK(chosen({{at::rand({3, 8, 8})}}) == kNotJudged);
  CHECK(chosen({{at::rand({2, 5}), at::zeros({3}, at::kLong)}}) == kNotJudged);
  CHECK(choose_criteria({{at::zeros({3, 8, 8}), at::zeros({1})}}).reason == "Float [3, 8, 8] and 1 more");
  CHECK(outcome_name(OutcomeClass::benign, judges_finite(kNotJudged)) == "not judged");
  CHECK(outcome_name(OutcomeClass::benign, judges_finite(kOfClasses)) == "benign");
  CHECK(outcome_name(OutcomeClass::sdc, false) == "sdc");
}

TEST_CASE("what criteria of classes read is doubted where it is no scores") {
  CHECK(doubts({sure_scores()}, kOfClasses).empty());
  const auto only_doubt = [](const Outputs& golden, const Texts& criteria) {
    const Texts all = doubts(golden, criteria);
    REQUIRE(all.size() == 1);
    return all[0];
  };
  check_contains(only_doubt({at::full({1}, 0.5)}, {"top1", "nonfinite"}),
                 "a single number, which is always the best of its one class: top1 can hardly fire");
  check_contains(
      only_doubt({embedding()}, {"nonfinite", "topk(2)", "drop(0.1)"}),
      "looks like an embedding, not like scores of 384 classes (a vector of length 1): topk(2) and 1 "
      "more");
  // Values of 0.5 at most, as an embedding that is not normalised has.
  check_contains(only_doubt({at::linspace(-0.5, 0.5, 384)}, {"top1"}),
                 "hardly tell the 384 classes apart (the best has 0.41 %)");
  check_contains(only_doubt({at::softmax(sure_scores(), 0)}, {"top1", "confidence(0.2)"}),
                 "probabilities already, and confidence(0.2) takes a softmax of them");
  CHECK(doubts({at::softmax(sure_scores(), 0)}, {"top1", "differs(0.2)"}).empty());
  CHECK(doubts({embedding()}, {"differs(0.1)"}).empty());
}

TEST_CASE("NaN in golden outputs is doubted, and so are labels that are no class") {
  at::Tensor scores = sure_scores();
  scores[0] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE(doubts({scores}, {"nonfinite"}).size() == 1);
  check_contains(doubts({scores}, {"nonfinite"})[0], "of 1 of the 1 inputs looked at");
  CHECK(doubt_about_labels({0, 9}, 10).empty());
  CHECK(
      doubt_about_labels({0, 10, 3, -1}, 10) ==
      "2 of 4 labels are no class of the network, which has 10, counted from 0: the first is 10, of input 1");
}

}  // namespace
}  // namespace faultwave
