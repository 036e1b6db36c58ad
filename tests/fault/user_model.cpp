// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <stdexcept>
#include <thread>

#include "faultwave/random.h"

#include "tests/fault/support.h"

namespace faultwave {

using test::apply_to_floats;

namespace {

UserFunction negate() {
  return [](const at::Tensor& values, const VictimContext&, Draw&) { return -values; };
}

std::string failure(UserFunction function) {
  return error_of(ErrorCode::illegal_fault, [&] { apply_to_floats(user_model("mine", function), {1, 2}); });
}

}  // namespace

TEST_CASE("a user's function gets the victims, the place and the draws") {
  const ErrorModelPtr model =
      user_model("clip", [](const at::Tensor& values, const VictimContext& context, Draw& draw) {
        CHECK(values.dim() == 1);
        CHECK(context.site == "conv1");
        return values.clamp_max(1) + static_cast<int64_t>(draw.below(10));
      });
  // Key 8841 draws 9.
  CHECK(apply_to_floats(model, {-3, 5}, 8841) == std::vector<float>{6, 10});
  CHECK(model->text() == "user(clip)");
  CHECK(model->is_drawn());
}

TEST_CASE("a registered function is found by its name, the newest first") {
  register_user_model("flip-sign", negate());
  CHECK(apply_to_floats(parse_error_model("user(flip-sign)"), {2})[0] == -2);
  CHECK(parse_error_model("flip-sign")->text() == "user(flip-sign)");
  register_user_model("flip-sign",
                      [](const at::Tensor& values, const VictimContext&, Draw&) { return values + 1; });
  CHECK(apply_to_floats(parse_error_model("flip-sign"), {2})[0] == 3);
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { parse_error_model("flip-sign(3)"); }), "expects no arguments");
}

TEST_CASE("registration from several threads") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int k = 0; k < 50; ++k) {
        register_user_model("thread" + std::to_string(i), negate());
        parse_error_model("thread" + std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(parse_error_model("thread3")->text() == "user(thread3)");
}

TEST_CASE("what a user's function returns is checked") {
  CHECK_HOLDS(failure([](auto& values, auto&, auto&) { return values.to(at::kDouble); }),
              "must return a tensor like the one it gets, FP32[2] on cpu, but returned FP64[2] on cpu");
  CHECK_HOLDS(failure([](auto& values, auto&, auto&) { return values.sum(); }), "but returned FP32[] on cpu");
  CHECK_HOLDS(failure([](auto&, auto&, auto&) { return at::Tensor(); }), "it returned no tensor");
}

TEST_CASE("a user's function that throws leaves the values as they were") {
  const ErrorModelPtr model = user_model("mine", [](const at::Tensor& values, const VictimContext&, Draw&) {
    values.zero_();
    throw std::runtime_error("no");
    return values;
  });
  at::Tensor values = torch::tensor({1.0f, 2.0f});
  Draw draw(0);
  CHECK_THROWS_AS(model->apply(values, {}, draw), std::runtime_error);
  CHECK(values.equal(torch::tensor({1.0f, 2.0f})));
}

TEST_CASE("names of user models") {
  for (const char* name : {"", "3d", "a b", "a(b)", "ä"}) {
    CHECK_HOLDS(error_of(ErrorCode::usage, [&] { register_user_model(name, negate()); }),
                "cannot name an error model: expected a letter");
  }
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { register_user_model("zero", negate()); }), "built-in");
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { user_model("mine", nullptr); }), "was given no function");
  register_user_model("drift", negate());
  CHECK_HOLDS(error_of(ErrorCode::usage, [] { parse_error_model("user(drifd)"); }),
              "give it to register_user_model first; did you mean drift?");
}

}  // namespace faultwave
