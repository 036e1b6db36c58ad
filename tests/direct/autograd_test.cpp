// SPDX-License-Identifier: Apache-2.0
#include <torch/torch.h>

#include <doctest/doctest.h>

#include "faultwave/injector.h"

#include "tests/direct/tiny_networks.h"

namespace {

using faultwave::Armed;
using faultwave::Injector;
using faultwave::parse_fault;

/// Gradient of the sum of the outputs with respect to the input, under a fault.
at::Tensor input_gradient(const std::string& line) {
  tiny::Residual net;
  Injector injector(net, tiny::image());
  const at::Tensor x = tiny::image().requires_grad_();
  const at::Tensor y = injector.run(parse_fault(line), [&] { return net(x); });
  y.sum().backward();
  return x.grad().flatten();
}

TEST_CASE("gradients flow through the faulty value") {
  // y = 2 x + 1 + x has gradient 3; what passes through the victim is multiplied by the error model's
  // derivative.
  CHECK(input_gradient("output:conv[0,0,1] zero").equal(torch::tensor({3.f, 1.f, 3.f, 3.f})));
  CHECK(input_gradient("output:conv[0,0,1] scale(5)").equal(torch::tensor({3.f, 11.f, 3.f, 3.f})));
  CHECK(input_gradient("output:conv[0,0,1] noise(1)#4").equal(torch::tensor({3.f, 3.f, 3.f, 3.f})));
  CHECK(input_gradient("output:conv[0,0,1] flip(30)").equal(torch::tensor({3.f, 1.f, 3.f, 3.f})));
  CHECK(input_gradient("input:conv[0,0,1] constant(9)").equal(torch::tensor({3.f, 1.f, 3.f, 3.f})));
  CHECK(input_gradient("network-input:0[0,0,1] constant(9)").equal(torch::tensor({3.f, 0.f, 3.f, 3.f})));
  CHECK(input_gradient("weight:conv[0,0,0,0] constant(9)").equal(torch::tensor({10.f, 10.f, 10.f, 10.f})));
}

TEST_CASE("the faulty value itself is what later layers see and learn from") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  const at::Tensor y =
      injector.run(parse_fault("output:first[1] constant(2)"), [&] { return net(tiny::pair()); });
  CHECK(y.item<float>() == 235);
  y.sum().backward();
  CHECK(net->second->weight.grad().equal(torch::tensor({{3.f, 2.f}})));
  // The victim was replaced, so nothing reaches the weights that made it.
  CHECK(net->first->weight.grad().equal(torch::tensor({{30.f, 40.f}, {0.f, 0.f}})));
}

TEST_CASE("an in-place operator that saved its result for the backward pass still can be hit") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  const at::Tensor y =
      injector.run(parse_fault("output:relu[0] constant(8)"), [&] { return net(tiny::pair()); });
  CHECK(y.item<float>() == 85);
  y.sum().backward();
  CHECK(net->second->weight.grad().equal(torch::tensor({{8.f, 0.f}})));
  CHECK(net->first->weight.grad().equal(torch::zeros({2, 2})));
}

TEST_CASE(
    "a weight fault in training: the gradient is taken at the faulty weight, the step changes the real one") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).weight_decay(0.5));
  {
    Armed armed(injector, parse_fault("weight:second[0,0] constant(20)"));
    const at::Tensor y = net(tiny::pair());
    CHECK(y.item<float>() == 65);
    y.sum().backward();
    CHECK(net->first->weight.grad().equal(torch::tensor({{60.f, 80.f}, {0.f, 0.f}})));
    // The replaced weight gets no gradient of its own, but for the decay of the real value 10.
    CHECK(net->second->weight.grad().equal(torch::tensor({{0.f, 0.f}})));
    optimizer.step();
  }
  CHECK(net->second->weight[0][0].item<float>() == doctest::Approx(10 - 0.1 * 0.5 * 10));
}

struct NormedImpl : torch::nn::Module {
  NormedImpl() {
    conv = register_module("conv", torch::nn::Conv2d(1, 2, 3));
    norm = register_module("norm", torch::nn::BatchNorm2d(2));
    head = register_module("head", torch::nn::Linear(2, 3));
  }
  torch::Tensor forward(torch::Tensor x) { return head(torch::relu(norm(conv(x))).mean({2, 3})); }
  torch::nn::Conv2d conv{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
  torch::nn::Linear head{nullptr};
};
TORCH_MODULE(Normed);

TEST_CASE(
    "a training loop stays as it is, step after step, in train mode, with loss and optimiser in between") {
  torch::manual_seed(3);
  Normed net;
  net->train();
  const at::Tensor x = torch::randn({4, 1, 6, 6});
  const at::Tensor label = torch::tensor({0, 1, 2, 0});
  Injector injector(net, x);
  CHECK(net->is_training());
  torch::optim::Adam optimizer(net->parameters(), torch::optim::AdamOptions(0.05));
  const at::Tensor before = net->conv->weight.detach().clone();
  double first_loss = 0;
  double last_loss = 0;
  for (int step = 0; step < 20; ++step) {
    // One random neuron of every layer, another one each step, the same in the whole batch.
    std::vector<faultwave::Fault> faults;
    for (const faultwave::Site& site : injector.select(faultwave::SiteKind::output)) {
      faults.push_back(parse_fault("output:" + site.name + "[?] random(-1,1)#" + std::to_string(step)));
    }
    Armed armed(injector, faults);
    optimizer.zero_grad();
    const at::Tensor loss = torch::nn::functional::cross_entropy(net(x), label);
    loss.backward();
    optimizer.step();
    for (const faultwave::Receipt& receipt : armed.receipts()) {
      CHECK(receipt.forwards == 1);
      CHECK(receipt.hits == 4);
    }
    if (step == 0) first_loss = loss.item<double>();
    last_loss = loss.item<double>();
  }
  CHECK(last_loss < first_loss);
  CHECK_FALSE(net->conv->weight.equal(before));
  CHECK(net->norm->num_batches_tracked.item<int64_t>() == 20);
}

TEST_CASE("one Armed over a whole training loop hits every forward") {
  torch::manual_seed(3);
  Normed net;
  const at::Tensor x = torch::randn({4, 1, 6, 6});
  Injector injector(net, x);
  torch::optim::SGD optimizer(net->parameters(), 0.01);
  Armed armed(injector, faultwave::parse_faults("output:norm[0,1,1] zero; output:relu[1,0,0]@2 constant(3)"));
  for (int step = 0; step < 5; ++step) {
    optimizer.zero_grad();
    net(x).square().sum().backward();
    optimizer.step();
  }
  const std::vector<faultwave::Receipt> receipts = armed.receipts();
  CHECK(receipts[0].forwards == 5);
  CHECK(receipts[0].hits == 20);
  CHECK(receipts[1].forwards == 5);
  CHECK(receipts[1].hits == 5);
}

}  // namespace
