// SPDX-License-Identifier: Apache-2.0
#include "src/intercept/intercept.h"

#include <torch/torch.h>

#include <memory>
#include <thread>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faultwave/error.h"

namespace {

using faultwave::intercept::Handler;
using faultwave::intercept::Intercept;
using faultwave::intercept::OperatorCall;

/// Notes the names of the operators that it sees.
class Names : public Handler {
 public:
  void on_call(OperatorCall& call) override {
    seen.push_back(call.op().operator_name().name);
    call.run();
  }
  std::vector<std::string> seen;
};

class DoubleResults : public Handler {
 public:
  void on_call(OperatorCall& call) override {
    call.run();
    // The multiplication inside the handler must not come back to it.
    call.result(0) = call.result(0).toTensor() * 2;
  }
};

TEST_CASE("each operator is seen once, as the user called it") {
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(1, 2, 3));
  torch::nn::BatchNorm2d norm(2);
  norm->eval();
  const at::Tensor x = torch::ones({1, 1, 5, 5});
  Names names;
  {
    Intercept on(names);
    torch::relu(norm(conv(x)));
  }
  torch::relu(x);
  CHECK(names.seen == std::vector<std::string>{"aten::conv2d", "aten::batch_norm", "aten::relu"});
}

TEST_CASE("results are bitwise those of a run without interception, with gradients and without") {
  torch::manual_seed(0);
  torch::nn::LSTM lstm(4, 4);
  const at::Tensor x = torch::randn({3, 2, 4}, torch::requires_grad());
  const at::Tensor plain = std::get<0>(lstm(x));
  plain.sum().backward();
  const at::Tensor plain_gradient = x.grad().clone();
  x.mutable_grad().reset();
  Names names;
  Intercept on(names);
  const at::Tensor seen = std::get<0>(lstm(x));
  seen.sum().backward();
  CHECK(seen.equal(plain));
  CHECK(x.grad().equal(plain_gradient));
}

TEST_CASE("a result can be replaced, and the operators of the handler's own are not seen") {
  DoubleResults doubled;
  at::Tensor result;
  const at::Tensor three = torch::full({1}, 3.0);
  {
    Intercept on(doubled);
    result = torch::relu(three);
  }
  CHECK(result.item<double>() == 6.0);
}

TEST_CASE("a second interception on one thread is refused, and the first goes on") {
  Names names;
  const at::Tensor x = torch::ones({1});
  Intercept on(names);
  Names others;
  CHECK_THROWS_AS(Intercept{others}, faultwave::UserError);
  torch::relu(x);
  CHECK(names.seen == std::vector<std::string>{"aten::relu"});
}

TEST_CASE("other threads are not seen, and may intercept for themselves") {
  Names here;
  Names there;
  const at::Tensor x = torch::ones({1});
  Intercept on(here);
  std::thread([&] {
    torch::relu(x);
    Intercept on_there(there);
    torch::sigmoid(x);
  }).join();
  torch::tanh(x);
  CHECK(here.seen == std::vector<std::string>{"aten::tanh"});
  CHECK(there.seen == std::vector<std::string>{"aten::sigmoid"});
}

TEST_CASE("an abandoned handler sees nothing, and makes room for another on its thread") {
  Names abandoned;
  Names next;
  const at::Tensor x = torch::ones({1});
  auto on = std::make_unique<Intercept>(abandoned);
  torch::relu(x);
  std::thread([&] {
    CHECK_FALSE(on->is_on_this_thread());
    on.reset();
  }).join();
  torch::relu(x);
  CHECK(abandoned.seen == std::vector<std::string>{"aten::relu"});
  {
    Intercept on_next(next);
    torch::tanh(x);
  }
  torch::relu(x);
  CHECK(next.seen == std::vector<std::string>{"aten::tanh"});
}

TEST_CASE("modes of torch that overlap with an Intercept leave nothing on") {
  Names names;
  const at::Tensor x = torch::ones({1});
  auto before = std::make_unique<c10::InferenceMode>();
  auto on = std::make_unique<Intercept>(names);
  CHECK(on->is_whole());
  before.reset();
  CHECK_FALSE(on->is_whole());
  torch::relu(x);
  on.reset();
  CHECK(names.seen.empty());

  on = std::make_unique<Intercept>(names);
  auto within = std::make_unique<c10::InferenceMode>();
  on.reset();
  within.reset();  // puts back the key as it was
  torch::relu(x);
  CHECK(names.seen.empty());
  const auto key = faultwave::intercept::every_key;
  CHECK_FALSE(c10::impl::tls_is_dispatch_key_included(key));
}

TEST_CASE("a fork begins with interception off") {
  Names names;
  const at::Tensor x = torch::ones({1});
  Intercept on(names);
  const pid_t child = ::fork();
  if (child == 0) {
    torch::relu(x);
    ::_exit(names.seen.empty() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  torch::relu(x);
  CHECK(names.seen == std::vector<std::string>{"aten::relu"});
}

TEST_CASE("of the chosen operators, the calls that read chosen memory are seen, and no other") {
  const auto find = [](const char* name) { return c10::Dispatcher::singleton().findSchemaOrThrow(name, ""); };
  // One with a typed kernel, which compares memory, and one without, which shows each of its calls.
  faultwave::intercept::choose_operator(find("aten::linear"));
  faultwave::intercept::choose_operator(find("aten::prelu"));
  const at::Tensor x = torch::ones({2, 3});
  const at::Tensor watched = torch::eye(3);
  const at::Tensor other = torch::eye(3) * 2;
  const at::Tensor slope = torch::ones({1});
  const void* const storages[] = {watched.storage().unsafeGetStorageImpl()};
  Names names;
  {
    Intercept on(names, faultwave::intercept::ChosenCalls{storages});
    CHECK(torch::linear(x, other).equal(x * 2));
    CHECK(torch::linear(x, watched).equal(x));
    torch::relu(x);
    torch::prelu(x, slope);
  }
  torch::linear(x, watched);
  CHECK(names.seen == std::vector<std::string>{"aten::linear", "aten::prelu"});
}

TEST_CASE("an exception inside an operator leaves interception as it was") {
  Names names;
  const at::Tensor a = torch::ones({2, 3});
  {
    Intercept on(names);
    CHECK_THROWS(torch::mm(a, a));
    torch::relu(a);
  }
  CHECK(names.seen == std::vector<std::string>{"aten::mm", "aten::relu"});
  torch::relu(a);
  CHECK(names.seen.size() == 2);
}

TEST_CASE("fused paths of transformer layers are opened up") {
  torch::NoGradGuard no_grad;
  const int64_t width = 8;
  const at::Tensor x = torch::ones({2, 3, width});
  const at::Tensor qkv = torch::ones({3 * width, width}) * 0.1;
  const at::Tensor qkv_bias = torch::zeros({3 * width});
  const at::Tensor project = torch::eye(width);
  const at::Tensor project_bias = torch::zeros({width});
  const at::Tensor plain = std::get<0>(
      at::_native_multi_head_attention(x, x, x, width, 2, qkv, qkv_bias, project, project_bias, {}, false));
  Names names;
  at::Tensor seen;
  {
    Intercept on(names);
    seen = std::get<0>(
        at::_native_multi_head_attention(x, x, x, width, 2, qkv, qkv_bias, project, project_bias, {}, false));
  }
  CHECK(names.seen.size() > 1);
  CHECK(names.seen.front() == "aten::_native_multi_head_attention");
  CHECK(seen.equal(plain));
}

TEST_CASE("a fused path stays closed on nested tensors, whose shapes are packed") {
  torch::NoGradGuard no_grad;
  const at::Tensor x = torch::ones({2, 3, 8});
  const at::Tensor weight = torch::ones({24, 8}) * 0.1;
  const at::Tensor mask = torch::ones({2, 3}, at::kBool);
  mask[1][2] = false;
  const at::Tensor nested = at::_nested_tensor_from_mask(x, mask);
  const at::Tensor bias = torch::zeros({24});
  const at::Tensor out = torch::eye(8);
  const at::Tensor out_bias = torch::zeros({8});
  Names names;
  {
    Intercept on(names);
    at::_native_multi_head_attention(nested, nested, nested, 8, 2, weight, bias, out, out_bias, {}, false);
  }
  CHECK(names.seen == std::vector<std::string>{"aten::_native_multi_head_attention"});
}

}  // namespace
