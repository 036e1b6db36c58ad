// SPDX-License-Identifier: Apache-2.0
#include <torch/torch.h>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/injector.h"

#include "tests/direct/tiny_networks.h"

namespace {

using faultwave::Armed;
using faultwave::Injector;
using faultwave::parse_fault;
using faultwave::SiteKind;

TEST_CASE("weight and bias faults change the result and never the model") {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  const auto version = net->conv->weight._version();
  const auto* memory = net->conv->weight.const_data_ptr();

  const at::Tensor by_weight =
      injector.run(parse_fault("weight:conv[0,0,0,0] constant(10)"), [&] { return net(x); });
  CHECK(by_weight.equal(10 * x + 1 + x));
  const at::Tensor by_bias = injector.run(parse_fault("bias:conv[0] constant(-1)"), [&] { return net(x); });
  CHECK(by_bias.equal(2 * x - 1 + x));

  CHECK(net->conv->weight.item<float>() == 2);
  CHECK(net->conv->bias.item<float>() == 1);
  CHECK(net->conv->weight._version() == version);
  CHECK(net->conv->weight.const_data_ptr() == memory);
  CHECK(net(x).equal(2 * x + 1 + x));
}

TEST_CASE("a weight that is read through a view is replaced too") {
  torch::NoGradGuard no_grad;
  tiny::InPlace net;  // the C++ linear layer multiplies with weight.t()
  Injector injector(net, tiny::pair());
  std::vector<faultwave::Receipt> receipts;
  const at::Tensor y = injector.run(
      parse_fault("weight:second[0,0] constant(20)"), [&] { return net(tiny::pair()); }, &receipts);
  CHECK(y.item<float>() == 65);
  CHECK(receipts[0].forwards == 1);
  CHECK(receipts[0].hits == 1);
  CHECK(receipts[0].victims[0].before == 10);
}

TEST_CASE("a buffer fault") {
  torch::NoGradGuard no_grad;
  torch::nn::BatchNorm2d norm(torch::nn::BatchNorm2dOptions(2).eps(0));
  norm->eval();
  const at::Tensor x = torch::ones({1, 2, 1, 1});
  Injector injector(norm, x);
  const std::string name = injector.select(SiteKind::buffer).front().name;
  CHECK(name == "running_mean");
  const at::Tensor y =
      injector.run(parse_fault("buffer:running_mean[1] constant(3)"), [&] { return norm(x); });
  CHECK(y.flatten().equal(torch::tensor({1.f, -2.f})));
  CHECK(norm->running_mean.equal(torch::zeros({2})));
}

TEST_CASE("a fault lasts for every forward of its scope, and follows a weight that changes meanwhile") {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  Armed armed(injector, parse_fault("weight:conv[0,0,0,0] scale(10)"));
  CHECK(net(x).equal(20 * x + 1 + x));
  CHECK(net(x).equal(20 * x + 1 + x));
  net->conv->weight.fill_(3);
  CHECK(net(x).equal(30 * x + 1 + x));
  CHECK(armed.receipts()[0].forwards == 3);
  CHECK(armed.receipts()[0].hits == 3);
}

struct SharedImpl : torch::nn::Module {
  SharedImpl() {
    layer = register_module("layer", torch::nn::Linear(torch::nn::LinearOptions(1, 1)));
    torch::NoGradGuard no_grad;
    layer->weight.fill_(2);
    layer->bias.fill_(1);
  }
  torch::Tensor forward(torch::Tensor x) { return layer(layer(x)); }
  torch::nn::Linear layer{nullptr};
};
TORCH_MODULE(Shared);

TEST_CASE("a module that runs twice: two output sites, one weight") {
  torch::NoGradGuard no_grad;
  Shared net;
  const at::Tensor x = torch::ones({1, 1});  // 3, then 7
  Injector injector(net, x);
  const auto run = [&](const std::string& line) {
    return injector.run(parse_fault(line), [&] { return net(x); }).item<float>();
  };
  CHECK(run("output:layer[0] constant(10)") == 21);
  CHECK(run("output:layer#2[0] constant(10)") == 10);
  CHECK(run("weight:layer[0,0] constant(3)") == 13);
}

struct TiedImpl : torch::nn::Module {
  TiedImpl() {
    embed = register_module("embed", torch::nn::Embedding(3, 2));
    score = register_parameter("score", embed->weight);
    torch::NoGradGuard no_grad;
    embed->weight.copy_(torch::tensor({{1.f, 2.f}, {3.f, 4.f}, {5.f, 6.f}}));
  }
  torch::Tensor forward(torch::Tensor tokens) { return embed(tokens).matmul(score.t()); }
  torch::nn::Embedding embed{nullptr};
  torch::Tensor score;
};
TORCH_MODULE(Tied);

TEST_CASE("tied weights are one site, and a fault shows wherever they are read") {
  torch::NoGradGuard no_grad;
  Tied net;
  const at::Tensor token = torch::zeros({1}, at::kLong);
  Injector injector(net, token);
  const std::vector<faultwave::Site> weights = injector.select(SiteKind::weight, {"*"});
  REQUIRE(weights.size() == 1);
  // Row 0 becomes (9, 2): embedded as (9, 2), scored against (9, 2), (3, 4), (5, 6).
  const at::Tensor y = injector.run(parse_fault("weight:" + weights[0].name + "[0,0] constant(9)"),
                                    [&] { return net(token); });
  CHECK(y.flatten().equal(torch::tensor({85.f, 35.f, 57.f})));
}

}  // namespace
