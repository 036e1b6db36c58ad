// SPDX-License-Identifier: Apache-2.0
// Error models that a program registers, and what is asked of built-in ones.
#include <stdexcept>

#include <doctest/doctest.h>

#include "faultwave/extension.h"
#include "faultwave/fault.h"
#include "faultwave/random.h"

#include "src/fault/recorded_faults.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using Type = Parameter::Type;

/// Adds `step` to each value, or a drawn one of three.
class Add final : public ErrorModel {
 public:
  explicit Add(const Arguments& arguments) : arguments_(arguments) {}
  std::string text() const override { return arguments_.text(); }
  bool is_drawn() const override { return !arguments_.has("step"); }
  void check(const VictimContext&) const override {}
  std::vector<ErrorModelPtr> choices(const VictimContext&) const override {
    std::vector<ErrorModelPtr> steps;
    for (int64_t step = 1; is_drawn() && step <= 3; ++step)
      steps.push_back(std::make_shared<Add>(arguments_.with("step", step)));
    return steps;
  }
  ErrorModelPtr resolve(const VictimContext& context, Draw& draw) const override {
    return is_drawn() ? choices(context)[draw.below(3)] : nullptr;
  }
  void apply(at::Tensor& values, const VictimContext&, Draw&) const override {
    values.add_(arguments_.integer("step"));
  }

 private:
  Arguments arguments_;
};

ErrorModelType add_type(const std::string& name) {
  return {.name = name,
          .parameters = {{.name = "step", .type = Type::integer, .lowest = 1, .highest = 3, .otherwise = ""}},
          .make = [](const Arguments& arguments) { return std::make_shared<Add>(arguments); }};
}

std::string parse_failure(const std::string& text) {
  return error_of(ErrorCode::usage, [&] { parse_error_model(text); });
}

TEST_CASE("a registered model is named, printed and parsed as a built-in one is") {
  extensions().add(add_type("test.add"));
  CHECK(parse_error_model(" test.add( 2 ) ")->text() == "test.add(2)");
  CHECK(parse_error_model("test.add(step=2)")->text() == "test.add(2)");
  CHECK(parse_error_model("test.add")->text() == "test.add");
  const std::string line = "output:conv1[0,1,2]@3 test.add(2)#5; weight:fc[1,1] test.add";
  CHECK(to_string(parse_faults(line)) == line);
  CHECK(parse_failure("test.add(4)") ==
        "error model 'test.add(4)': at column 10, expected a whole number from 1 to 3 for step but found '4' "
        "in "
        "test.add");
  check_contains(parse_failure("test.add(1,2)"),
                 "test.add expects test.add or test.add(step) but got 2 arguments");
  check_contains(parse_failure("test.ad"), "unknown error model 'test.ad'; did you mean test.add?");
}

TEST_CASE("names that are taken, and those that are none") {
  extensions().add(add_type("test.taken"));
  register_user_model("test_function",
                      [](const at::Tensor& values, const VictimContext&, Draw&) { return values; });
  const auto refused = [](const std::string& name) {
    return error_of(ErrorCode::usage, [&] { extensions().add(add_type(name)); });
  };
  CHECK(refused("flip") ==
        "the error model 'flip' cannot be registered: there is one of this name already, built in");
  check_contains(refused("test.taken"), "there is one of this name already, of this program");
  check_contains(refused("test_function"), "given to register_user_model");
  for (const char* name : {"", "2nd", "a b", "a(b)", "a-b", "a_name_that_is_longer_than_any_column_may_be"})
    check_contains(refused(name),
                   "cannot name an error model: expected a letter, then letters, digits, '_' and '.'");
  check_contains(error_of(ErrorCode::usage, [] { extensions().add(ErrorModelType{.name = "test.none"}); }),
                 "it has no function that makes it");
  check_contains(error_of(ErrorCode::usage,
                          [] {
                            register_user_model(
                                "test.taken",
                                [](const at::Tensor& values, const VictimContext&, Draw&) { return values; });
                          }),
                 "'test.taken' names an extension's error model");
}

TEST_CASE("mistakes of whoever makes a model are told apart from those of its users") {
  extensions().add(ErrorModelType{.name = "test.nothing", .make = [](const Arguments&) { return nullptr; }});
  extensions().add(ErrorModelType{.name = "test.other", .make = [](const Arguments&) { return zero(); }});
  extensions().add(ErrorModelType{.name = "test.throws", .make = [](const Arguments&) -> ErrorModelPtr {
                                    throw std::runtime_error("no table");
                                  }});
  check_contains(parse_failure("test.nothing"),
                 "the error model test.nothing cannot be made: its function returned none");
  check_contains(parse_failure("test.other"),
                 "it prints as 'zero', which is not 'test.other', its arguments");
  check_contains(parse_failure("test.throws"), "the error model test.throws cannot be made: no table");
}

TEST_CASE("built-in models say which single bit they change") {
  const auto change = [](const char* text) { return parse_error_model(text)->bit_change(); };
  using Kind = BitChange::Kind;
  CHECK(change("flip(30)") == BitChange{Kind::flip, 30, ""});
  CHECK(change("flip") == BitChange{Kind::flip, std::nullopt, ""});
  CHECK(change("flip(int8:7,scale=0.5)") == BitChange{Kind::flip, 7, "int8"});
  CHECK(change("flip(fixed8.4)") == BitChange{Kind::flip, std::nullopt, "fixed8.4"});
  CHECK(change("burst(1,start=4)") == BitChange{Kind::flip, 4, ""});
  CHECK(change("stuck0(3)") == BitChange{Kind::stuck_at_0, 3, ""});
  CHECK(change("stuck1") == BitChange{Kind::stuck_at_1, std::nullopt, ""});
  for (const char* text : {"flip(3,4)", "flip(any=2)", "burst(2)", "zero", "constant(1)", "noise(1)",
                           "scale(2)", "random(0,1)"}) {
    CAPTURE(text);
    CHECK_FALSE(change(text).has_value());
  }
}

TEST_CASE("built-in models say whether they need the site's scale") {
  CHECK(int8_flip()->needs_scale());
  CHECK(int8_flip(3)->needs_scale());
  CHECK_FALSE(int8_flip(3, 0.5)->needs_scale());
  CHECK_FALSE(format_flip("fp16")->needs_scale());
  CHECK_FALSE(bit_flip()->needs_scale());
}

TEST_CASE("recorded fault lines print as they stand, whatever is known here") {
  for (const std::string line :
       {"output:a[1] flip(3)", "output:a[1] unknown.model(3,up)#7; weight:b[0] flip(no.format:3,scale=0.5)",
        "input:c[*] user(nobody)#1"}) {
    CAPTURE(line);
    CHECK(to_string(parse_recorded_faults(line)) == line);
  }
  const Fault fault = parse_recorded_faults("output:a[1] unknown.model(3)").at(0);
  check_contains(error_of(ErrorCode::illegal_fault, [&] { fault.model->check({"conv1", at::kFloat, {}}); }),
                 "unknown.model(3) cannot hit FP32 values at site conv1: the error model is not known here");
  check_contains(error_of(ErrorCode::usage, [] { parse_recorded_faults("output:a[1] unknown.model(3"); }),
                 "expected ',' or ')'");
}

}  // namespace
}  // namespace faultwave
