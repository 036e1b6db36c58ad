// SPDX-License-Identifier: Apache-2.0
// topk, label_topk and ranking.
#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

const at::Tensor ten = scores({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});  // best 9, then 8, 7, 6, 5
const at::Tensor nothing = at::full({10}, nan_value);

at::Tensor changed(const at::Tensor& tensor, int64_t index, float value) {
  at::Tensor copy = tensor.clone();
  copy[index] = value;
  return copy;
}

bool fires_with_label(std::string_view criterion, const at::Tensor& golden, const at::Tensor& faulty,
                      int64_t label) {
  const std::vector<at::Tensor> a = {golden};
  const std::vector<at::Tensor> b = {faulty};
  return parse_criterion(criterion)->fires({a, b, label});
}

TEST_CASE("topk fires when the golden best class is no longer among the k best") {
  CHECK_FALSE(fires("topk(3)", ten, ten));
  CHECK_FALSE(fires("topk(3)", ten, changed(ten, 9, 6.5)));  // 8, 7, 9
  CHECK(fires("topk(3)", ten, changed(ten, 9, 5.5)));        // 8, 7, 6
  CHECK(fires("topk(1)", ten, changed(ten, 9, 7.5)));
  CHECK_FALSE(fires("topk(2)", ten, changed(ten, 0, infinity)));
  CHECK_FALSE(fires("topk(10)", ten, changed(ten, 9, -infinity)));  // all ten are among ten
  CHECK_FALSE(fires("topk(100)", ten, changed(ten, 9, -1)));
}

TEST_CASE("topk breaks ties by index") {
  // 9 ties with 8 and 7: those come first.
  const at::Tensor faulty = changed(changed(ten, 9, 8), 7, 8);
  CHECK(fires("topk(2)", ten, faulty));
  CHECK_FALSE(fires("topk(3)", ten, faulty));
}

TEST_CASE("topk and NaN") {
  CHECK(fires("topk(10)", ten, changed(ten, 9, nan_value)));  // no number, no rank
  CHECK_FALSE(fires("topk(1)", ten, changed(ten, 0, nan_value)));
  CHECK(fires("topk(10)", ten, nothing));
  CHECK(fires("topk(10)", nothing, ten));
  CHECK_FALSE(fires("topk(1)", nothing, nothing));
}

TEST_CASE("topk where the faulty output has fewer classes") {
  CHECK(fires("topk(5)", ten, scores({1, 2, 3})));
  CHECK_FALSE(fires("topk(5)", scores({3, 2}), scores({1, 2, 3, 4, 5})));
}

TEST_CASE("topk of integers") {
  CHECK_FALSE(fires("topk(2)", at::tensor({1, 5, 3}), at::tensor({1, 5, 7})));
  CHECK(fires("topk(1)", at::tensor({1, 5, 3}), at::tensor({1, 5, 7})));
}

TEST_CASE("label_topk fires when the right class was among the k best and no longer is") {
  // The label is 7, third of the golden output.
  CHECK_FALSE(fires_with_label("label_topk(3)", ten, ten, 7));
  CHECK(fires_with_label("label_topk(3)", ten, changed(ten, 7, 5.5), 7));
  CHECK_FALSE(fires_with_label("label_topk(4)", ten, changed(ten, 7, 5.5), 7));
  CHECK(fires_with_label("label_topk(3)", ten, changed(ten, 0, 10), 7));
  // It never was among the best two, so nothing is lost.
  CHECK_FALSE(fires_with_label("label_topk(2)", ten, changed(ten, 7, -1), 7));
  // Wrong before, right now.
  CHECK_FALSE(fires_with_label("label_topk(1)", ten, changed(ten, 7, 10), 7));
  CHECK(fires_with_label("label_topk(1)", ten, changed(ten, 7, 10), 9));
}

TEST_CASE("label_topk and NaN") {
  CHECK(fires_with_label("label_topk(3)", ten, changed(ten, 7, nan_value), 7));
  CHECK(fires_with_label("label_topk(3)", ten, nothing, 7));
  CHECK_FALSE(fires_with_label("label_topk(3)", nothing, ten, 7));
  CHECK_FALSE(fires_with_label("label_topk(3)", changed(ten, 7, nan_value), ten, 7));
}

TEST_CASE("label_topk needs a label, and one of the network's classes") {
  CHECK(contains(message_of(ErrorCode::bad_input, [] { fires("label_topk(5)", ten, ten); }),
                 "there are no labels"));
  for (const int64_t label : {-1, 10, 1000}) {
    CAPTURE(label);
    CHECK(contains(
        message_of(ErrorCode::bad_input, [&] { fires_with_label("label_topk(5)", ten, ten, label); }),
        "the label " + std::to_string(label) +
            " is none of the classes that the network tells apart, 0 to 9"));
  }
}

TEST_CASE("judge hands the label on") {
  const std::vector<at::Tensor> golden = {ten};
  const std::vector<at::Tensor> faulty = {changed(ten, 0, 10)};
  CHECK(judge({golden, faulty, 9}, {parse_criterion("label_topk(1)")}).fired == 1);
  CHECK(judge({golden, faulty, 8}, {parse_criterion("label_topk(1)")}).fired == 0);
}

TEST_CASE("ranking fires when the k best or their order change") {
  CHECK_FALSE(fires("ranking(3)", ten, ten));
  CHECK_FALSE(fires("ranking(3)", ten, changed(ten, 9, 100)));
  CHECK_FALSE(fires("ranking(3)", ten, changed(ten, 6, 5)));  // fourth to fifth place
  CHECK(fires("ranking(3)", ten, changed(ten, 7, 8.5)));      // 9, 7, 8
  CHECK(fires("ranking(3)", ten, changed(ten, 0, 7.5)));      // 9, 8, 0
  CHECK_FALSE(fires("ranking(1)", ten, changed(ten, 7, 8.5)));
  CHECK(fires("ranking(10)", ten, changed(ten, 0, 1.5)));
  CHECK_FALSE(fires("ranking(50)", ten, ten));
}

TEST_CASE("ranking breaks ties by index") {
  CHECK_FALSE(fires("ranking(2)", scores({5, 4, 1}), scores({5, 5, 1})));
  CHECK(fires("ranking(2)", scores({4, 5, 1}), scores({5, 5, 1})));
}

TEST_CASE("ranking leaves out NaN") {
  CHECK(fires("ranking(3)", ten, changed(ten, 8, nan_value)));
  CHECK_FALSE(fires("ranking(3)", ten, changed(ten, 0, nan_value)));
  CHECK(fires("ranking(10)", ten, changed(ten, 0, nan_value)));  // nine are left
  CHECK(fires("ranking(1)", ten, nothing));
  CHECK_FALSE(fires("ranking(1)", nothing, nothing));
  CHECK_FALSE(fires("ranking(3)", ten, changed(ten, 9, infinity)));
}

TEST_CASE("ranking of another number of classes") {
  CHECK_FALSE(fires("ranking(2)", scores({5, 4}), scores({5, 4, 3})));
  CHECK(fires("ranking(3)", scores({5, 4}), scores({5, 4, 3})));
}

}  // namespace
}  // namespace faultwave
