// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

using Outputs = std::vector<at::Tensor>;

std::vector<CriterionPtr> all_criteria() {
  return {parse_criterion("top1"), parse_criterion("top5"), parse_criterion("confidence(0.2)"),
          parse_criterion("nonfinite")};
}

Outcome judge_scores(const at::Tensor& golden, const at::Tensor& faulty) {
  const Outputs a = {golden};
  const Outputs b = {faulty};
  return judge({a, b}, all_criteria());
}

TEST_CASE("identical outputs are masked") {
  const Outputs golden = {scores({1, 2, nan_value}), at::arange(4)};
  const Outputs faulty = {golden[0].clone(), golden[1].clone()};
  const Outcome outcome = judge({golden, faulty}, all_criteria());
  CHECK(outcome.kind == OutcomeClass::masked);
  CHECK(outcome.fired == 0);
}

TEST_CASE("criteria are not asked where nothing differs") {
  const Outputs outputs = {scores({1, 2})};
  const Outputs copy = {outputs[0].clone()};
  int asked = 0;
  const auto counting = make_criterion("counting", [&](const OutputPair&) { return ++asked > 0; });
  CHECK(judge({outputs, copy}, {counting}).kind == OutcomeClass::masked);
  CHECK(asked == 0);
  const Outputs other = {scores({1, 3})};
  CHECK(judge({outputs, other}, {counting}).kind == OutcomeClass::sdc);
  CHECK(asked == 1);
}

TEST_CASE("a difference that no criterion minds is benign") {
  const Outcome outcome = judge_scores(scores({1, 2, 9}), scores({1, 2, 9.125}));
  CHECK(outcome.kind == OutcomeClass::benign);
  CHECK(outcome.fired == 0);
}

TEST_CASE("masked means that no value moves by more than 2^-10 of the largest") {
  const float step = 8 * 0x1p-10F;
  CHECK(judge_scores(scores({8, 1}), scores({8, 1 + step})).kind == OutcomeClass::masked);
  CHECK(judge_scores(scores({-8, 1}), scores({-8, 1 - step})).kind == OutcomeClass::masked);
  CHECK(judge_scores(scores({8, 1}), scores({8, 1 + 1.001F * step})).kind == OutcomeClass::benign);
  // The golden output is the measure: a value that a fault blew up must not make itself small.
  CHECK(judge_scores(scores({8, 1}), scores({8000, 1})).kind == OutcomeClass::benign);
  CHECK(judge_scores(scores({0, 0}), scores({1e-30F, 0})).kind == OutcomeClass::benign);
  CHECK(judge_scores(scores({9, 0.0F}), scores({9, -0.0F})).kind == OutcomeClass::masked);

  const float other_nan = std::bit_cast<float>(uint32_t{0x7fc00001});
  CHECK(judge_scores(scores({9, nan_value}), scores({9, nan_value})).kind == OutcomeClass::masked);
  CHECK(judge_scores(scores({9, nan_value}), scores({9, other_nan})).kind == OutcomeClass::masked);
  CHECK(judge_scores(scores({9, nan_value}), scores({9, 1})).kind != OutcomeClass::masked);
  CHECK(judge_scores(scores({9, infinity}), scores({9, -infinity})).kind != OutcomeClass::masked);
}

TEST_CASE("a small change is no mask for a criterion that fires") {
  const Outputs golden = {scores({8, 7.9999F})};
  const Outputs faulty = {scores({7.9999F, 8})};
  CHECK(judge({golden, faulty}, all_criteria()).kind == OutcomeClass::sdc);
}

TEST_CASE("integers are masked only where none moves") {
  const Outputs golden = {at::tensor({1000000, 1})};
  const Outputs faulty = {at::tensor({1000000, 2})};
  CHECK(judge({golden, faulty}, {}).kind == OutcomeClass::benign);
}

TEST_CASE("fired has one bit a criterion, in the order of the list") {
  SUBCASE("another best class that was second, and less confidence") {
    const Outcome outcome = judge_scores(scores({1, 2, 9}), scores({1, 10, 9}));
    CHECK(outcome.kind == OutcomeClass::sdc);
    CHECK(outcome.fired == 0b0101);
  }
  SUBCASE("only confidence") {
    const Outcome outcome = judge_scores(scores({0, 0, 9}), scores({0, 0, 0.5}));
    CHECK(outcome.kind == OutcomeClass::sdc);
    CHECK(outcome.fired == 0b0100);
  }
  SUBCASE("best class from the last place") {
    const Outcome outcome = judge_scores(scores({9, 5, 4, 3, 2, 1}), scores({9, 5, 4, 3, 2, 99}));
    CHECK(outcome.kind == OutcomeClass::sdc);
    CHECK(outcome.fired == 0b0111);
  }
}

TEST_CASE("a new NaN or Inf is due, whatever fires and whichever output it is in") {
  CHECK(judge_scores(scores({1, 2, 9}), scores({1, nan_value, 9})).kind == OutcomeClass::due);
  CHECK(judge_scores(scores({1, 2, 9}), scores({1, infinity, 9})).fired == 0b1101);

  const Outputs golden = {scores({1, 2}), scores({0, 0})};
  const Outputs faulty = {scores({1, 2}), scores({0, -infinity})};
  CHECK(judge({golden, faulty}, {parse_criterion("top1")}).kind == OutcomeClass::due);
  CHECK(judge({golden, faulty}, {parse_criterion("top1")}).fired == 0);
}

TEST_CASE("a NaN that was there before is not due") {
  CHECK(judge_scores(scores({9, nan_value}), scores({8, nan_value})).kind == OutcomeClass::benign);
}

TEST_CASE("an output of another shape, type or number is a difference") {
  CHECK(judge_scores(scores({1, 9}), scores({1, 9, 0})).kind != OutcomeClass::masked);
  CHECK(judge_scores(scores({1, 9}), scores({1, 9}).to(at::kDouble)).kind == OutcomeClass::benign);
  const Outputs golden = {scores({1, 9})};
  const Outputs faulty = {scores({1, 9}), at::zeros({2})};
  CHECK(judge({golden, faulty}, {}).kind == OutcomeClass::benign);
  // The golden best class is gone.
  CHECK(judge_scores(scores({1, 9}), scores({1})).fired == 0b0101);
}

TEST_CASE("outputs without values are equal") {
  const Outputs empty = {at::empty({0, 4})};
  CHECK(judge({empty, empty}, {parse_criterion("nonfinite")}).kind == OutcomeClass::masked);
}

TEST_CASE("a view is compared by its values") {
  const at::Tensor columns = at::stack({scores({1, 2, 9}), scores({1, 2, 9})}, 1);
  CHECK(judge_scores(scores({1, 2, 9}), columns.select(1, 1)).kind == OutcomeClass::masked);
}

TEST_CASE("33 criteria are too many") {
  const std::vector<CriterionPtr> many(33, parse_criterion("top1"));
  const Outputs outputs = {scores({1})};
  CHECK(contains(message_of(ErrorCode::usage, [&] { judge({outputs, outputs}, many); }), "at most 32"));
}

TEST_CASE("outcome classes have names") {
  CHECK(to_string(OutcomeClass::masked) == "masked");
  CHECK(to_string(OutcomeClass::benign) == "benign");
  CHECK(to_string(OutcomeClass::sdc) == "sdc");
  CHECK(to_string(OutcomeClass::due) == "due");
  CHECK(to_string(OutcomeClass::crash) == "crash");
  CHECK(to_string(OutcomeClass::hang) == "hang");
}

}  // namespace
}  // namespace faultwave
