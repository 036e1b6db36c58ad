// SPDX-License-Identifier: Apache-2.0
// Criteria that a program registers.
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "faultwave/extension.h"
#include "faultwave/specification.h"

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

/// Fires if the first value moves by more than so much; says nothing of its border.
class Moved : public Criterion {
 public:
  explicit Moved(const Arguments& arguments) : arguments_(arguments) {}
  std::string name() const override { return "test.moved"; }
  std::string text() const override { return arguments_.text(); }
  bool fires(const OutputPair& outputs) const override {
    const auto first = [](const at::Tensor& tensor) { return tensor.flatten()[0].item<double>(); };
    return std::abs(first(outputs.faulty[0]) - first(outputs.golden[0])) > arguments_.number("by");
  }

 private:
  Arguments arguments_;
};

void register_once() {
  static const bool is_done = [] {
    extensions().add(CriterionType{
        .name = "test.moved",
        .parameters =
            {{.name = "by", .lowest = 0, .highest = 10},
             {.name = "way", .type = Parameter::Type::word, .words = {"up", "any"}, .otherwise = "any"}},
        .make = [](const Arguments& arguments) { return std::make_shared<Moved>(arguments); }});
    return true;
  }();
  static_cast<void>(is_done);
}

TEST_CASE("a registered criterion is named, printed and parsed as a built-in one is") {
  register_once();
  CHECK(parse_criterion(" test.moved ( 0.50 ) ")->text() == "test.moved(0.5)");
  CHECK(parse_criterion("test.moved(0.5,up)")->text() == "test.moved(0.5,up)");
  CHECK(parse_criterion("test.moved(0.5)")->name() == "test.moved");
  const std::vector<std::string> names = criterion_names();
  CHECK(std::find(names.begin(), names.end(), "test.moved") != names.end());
  const std::vector<at::Tensor> golden{torch::tensor({1.0f})};
  const std::vector<at::Tensor> faulty{torch::tensor({2.0f})};
  CHECK(judge({golden, faulty}, {parse_criterion("test.moved(0.5)")}).kind == OutcomeClass::sdc);
  CHECK(judge({golden, faulty}, {parse_criterion("test.moved(1.5)")}).kind == OutcomeClass::benign);
}

TEST_CASE("a specification names it") {
  register_once();
  const Specification spec = parse_specification(
      "model = \"a\"\ninput = \"b\"\ntrials = 1\ncriteria = [\"test.moved( 0.5, any )\"]\n[fault]\nerror = "
      "\"flip\"\n",
      "spec.toml");
  CHECK(spec.criteria == std::vector<std::string>{"test.moved(0.5)"});
}

TEST_CASE("without a border of its own every trial that differs is decided again") {
  register_once();
  const CriterionPtr moved = parse_criterion("test.moved(0.5)");
  const std::vector<at::Tensor> golden{torch::tensor({1.0f})};
  const std::vector<at::Tensor> faulty{torch::tensor({9.0f})};
  CHECK(moved->is_near_border({golden, faulty}, 1e-6));
  CHECK_FALSE(moved->is_near_border({golden, golden}, 1e-6));
}

TEST_CASE("a function may bring its border") {
  const auto value = [](const std::vector<at::Tensor>& outputs) { return outputs[0].item<double>(); };
  const CriterionPtr above = make_criterion(
      "above_two", [=](const OutputPair& outputs) { return value(outputs.faulty) > 2; },
      [=](const OutputPair& outputs, double rounding) {
        return std::abs(value(outputs.faulty) - 2) <= rounding * std::abs(value(outputs.faulty));
      });
  const std::vector<at::Tensor> golden{torch::tensor(1.0f)};
  for (const auto& [faulty, is_near] : {std::pair{2.5f, false}, std::pair{2.0001f, true}}) {
    const std::vector<at::Tensor> outputs{torch::tensor(faulty)};
    CHECK(above->fires({golden, outputs}));
    CHECK(above->is_near_border({golden, outputs}, 1e-3) == is_near);
  }
}

TEST_CASE("wrong arguments, names and makers of criteria") {
  register_once();
  CHECK(error_of(ErrorCode::usage, [] { parse_criterion("test.moved(20)"); }) ==
        "criterion 'test.moved(20)': expected test.moved(by[,way]) with a number from 0 to 10 for by and if "
        "wanted "
        "up or any for way");
  check_contains(error_of(ErrorCode::usage, [] { parse_criterion("test.move(1)"); }),
                 "did you mean test.moved?");
  const auto refused = [](CriterionType type) {
    return error_of(ErrorCode::usage, [&] { extensions().add(std::move(type)); });
  };
  const auto make = [](const Arguments&) { return parse_criterion("top1"); };
  check_contains(refused({.name = "top1", .make = make}), "there is one of this name already, built in");
  check_contains(refused({.name = "a,b", .make = make}), "cannot name a criterion");
  check_contains(refused({.name = "test.none"}), "it has no function that makes it");
  extensions().add(CriterionType{.name = "test.first", .make = make});
  check_contains(error_of(ErrorCode::usage, [] { parse_criterion("test.first"); }),
                 "the criterion test.first cannot be made: it is named 'top1' and prints as 'top1'");
}

}  // namespace
}  // namespace faultwave
