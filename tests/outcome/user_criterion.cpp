// SPDX-License-Identifier: Apache-2.0
// make_criterion and check_criteria.
#include <stdexcept>

#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

const std::vector<at::Tensor> three = {scores({1, 2, 3})};

TEST_CASE("a function of the user's is a criterion") {
  const CriterionPtr sign = make_criterion("sign_of_first", [](const OutputPair& outputs) {
    return outputs.golden[0][0].item<float>() * outputs.faulty[0][0].item<float>() < 0;
  });
  CHECK(sign->name() == "sign_of_first");
  CHECK(sign->text() == "sign_of_first");
  const std::vector<at::Tensor> negative = {scores({-1, 2, 3})};
  const std::vector<at::Tensor> positive = {scores({2, 2, 3})};
  CHECK(judge({three, negative}, {parse_criterion("top1"), sign}).fired == 0b10);
  CHECK(judge({three, positive}, {parse_criterion("top1"), sign}).kind == OutcomeClass::benign);
}

TEST_CASE("a function of the user's sees the label") {
  const CriterionPtr is_two =
      make_criterion("is_two", [](const OutputPair& outputs) { return outputs.label == 2; });
  const std::vector<at::Tensor> other = {scores({1, 2, 4})};
  CHECK(judge({three, other, 2}, {is_two}).fired == 1);
  CHECK(judge({three, other}, {is_two}).fired == 0);
}

TEST_CASE("criteria have legal names") {
  const auto never = [](const OutputPair&) { return false; };
  for (const char* name : {"a", "mine2", "Top_1", "lane_departure"}) {
    CHECK(make_criterion(name, never)->name() == name);
  }
  for (const char* name : {"", "2nd", "_x", "my criterion", "x(1)", "a-b", "a,b",
                           "gr\xc3\xb6\xc3\x9f"
                           "e",
                           "a_name_that_is_longer_than_any_column_may_be"}) {
    CAPTURE(name);
    CHECK(contains(message_of(ErrorCode::usage, [&] { make_criterion(name, never); }), "at most 40"));
  }
  for (const std::string& name : criterion_names()) {
    CAPTURE(name);
    CHECK(contains(message_of(ErrorCode::usage, [&] { make_criterion(name, never); }), "choose another"));
  }
  CHECK(contains(message_of(ErrorCode::usage, [&] { make_criterion("mine", nullptr); }), "got none"));
}

TEST_CASE("criteria that fit pass the check") {
  const std::vector<CriterionPtr> criteria = {
      parse_criterion("top1"),          parse_criterion("topk(2)"),
      parse_criterion("label_topk(2)"), parse_criterion("ranking(3)"),
      parse_criterion("confidence(0)"), parse_criterion("drop(0)"),
      parse_criterion("differs(0)"),    parse_criterion("differs_relative(0)"),
      parse_criterion("nonfinite")};
  check_criteria(three, criteria, 1);
  check_criteria({at::full({3}, nan_value)}, criteria, 1);  // nothing of its own differs
  check_criteria({}, {parse_criterion("nonfinite")});
  check_criteria(three, {});
}

TEST_CASE("the check names a criterion that is not made for the outputs") {
  const auto refusal = [](const std::vector<at::Tensor>& golden, const CriterionPtr& criterion) {
    return message_of(ErrorCode::bad_input,
                      [&] { check_criteria(golden, {parse_criterion("nonfinite"), criterion}); });
  };
  CHECK(refusal({at::zeros({2, 3})}, parse_criterion("ranking(3)")).rfind("criterion ranking needs", 0) == 0);
  CHECK(refusal(three, parse_criterion("map(0.5)")).rfind("criterion map needs", 0) == 0);
  CHECK(refusal(three, parse_criterion("label_topk(3)")).rfind("criterion label_topk needs", 0) == 0);
  CHECK(refusal(three, make_criterion("picky", [](const OutputPair&) -> bool {
                  throw std::runtime_error("two outputs wanted\nat line 3");
                })) == "criterion picky: it cannot read the network's outputs: two outputs wanted");
  CHECK(refusal(three, make_criterion("strict", [](const OutputPair&) -> bool {
                  throw UserError(ErrorCode::usage, "two outputs wanted");
                })) == "criterion strict: two outputs wanted");
  CHECK_THROWS_AS(
      check_criteria(three,
                     {make_criterion("buggy", [](const OutputPair&) -> bool { throw InternalError("oh"); })}),
      InternalError);
}

TEST_CASE("the check finds a criterion that fires although nothing differs") {
  const CriterionPtr always = make_criterion("always", [](const OutputPair&) { return true; });
  CHECK(message_of(ErrorCode::bad_input, [&] { check_criteria(three, {always}); }) ==
        "criterion always fires on the golden outputs themselves: expected one that equal outputs pass");
}

}  // namespace
}  // namespace faultwave
