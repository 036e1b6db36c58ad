// SPDX-License-Identifier: Apache-2.0
// Faults in gradients, while backward passes run.
#include <torch/csrc/autograd/variable.h>
#include <torch/torch.h>

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/direct_engine.h"
#include "faultwave/error.h"
#include "faultwave/injector.h"
#include "faultwave/inputs.h"
#include "faultwave/perturb.h"
#include "faultwave/workload.h"

#include "tests/direct/tiny_networks.h"
#include "tests/support/expect_error.h"

namespace {

using faultwave::Armed;
using faultwave::check_contains;
using faultwave::error_of;
using faultwave::ErrorCode;
using faultwave::Injector;
using faultwave::parse_fault;
using faultwave::parse_faults;
using faultwave::Receipt;
using faultwave::SiteKind;

at::Tensor grad_of_first(const tiny::InPlace& net) {
  return net->first->weight.grad().flatten();
}
at::Tensor grad_of_second(const tiny::InPlace& net) {
  return net->second->weight.grad().flatten();
}
at::Tensor floats(std::vector<float> values) {
  return torch::tensor(values);
}

// The gradients of tiny::InPlace at x = [3, 4]: 1 at the output; [3, 0] at W2 and 1 at b2; [10, 100] behind
// the ReLU and [10, 0] before it; [30, 40, 0, 0] at W1 and [10, 0] at b1.

/// Runs forward and backward once with a fault, and once more without, into fresh gradients.
std::vector<Receipt> step(tiny::InPlace& net, const std::string& line) {
  net->zero_grad();
  Injector injector(net, tiny::pair());
  Armed armed(injector, parse_faults(line));
  net(tiny::pair()).sum().backward();
  armed.disarm();
  const std::vector<at::Tensor> faulty = {grad_of_first(net).clone(), grad_of_second(net).clone()};
  net->zero_grad();
  net(tiny::pair()).sum().backward();
  CHECK(grad_of_first(net).equal(floats({30, 40, 0, 0})));
  CHECK(grad_of_second(net).equal(floats({3, 0})));
  net->first->weight.mutable_grad() = faulty[0].view({2, 2});
  net->second->weight.mutable_grad() = faulty[1].view({1, 2});
  return armed.receipts();
}

TEST_CASE("the gradient of an output goes on faulty") {
  tiny::InPlace net;
  step(net, "output-gradient:second[0] constant(2)");
  CHECK(grad_of_first(net).equal(floats({60, 80, 0, 0})));
  CHECK(grad_of_second(net).equal(floats({6, 0})));

  // Behind the ReLU, which lets nothing through where it was 0; and before it.
  const std::vector<Receipt> receipts = step(net, "output-gradient:relu[*] constant(5)");
  CHECK(grad_of_first(net).equal(floats({15, 20, 0, 0})));
  CHECK(grad_of_second(net).equal(floats({3, 0})));
  REQUIRE(receipts.at(0).victims.size() == 2);
  CHECK(receipts[0].victims[0].before == 10);
  CHECK(receipts[0].victims[1].before == 100);
  CHECK(receipts[0].victims[1].after == 5);
  CHECK(receipts[0].kind == SiteKind::output_gradient);
  CHECK(receipts[0].forwards == 1);
  CHECK(receipts[0].first_forward == 0);
  step(net, "output-gradient:first[1] constant(5)");
  CHECK(grad_of_first(net).equal(floats({30, 40, 15, 20})));
}

TEST_CASE("the gradient of a parameter is accumulated faulty, and no other is") {
  tiny::InPlace net;
  const std::vector<Receipt> receipts = step(net, "weight-gradient:second[0,0] constant(7)");
  CHECK(grad_of_second(net).equal(floats({7, 0})));
  CHECK(grad_of_first(net).equal(floats({30, 40, 0, 0})));
  CHECK(receipts.at(0).victims.at(0).before == 3);
  CHECK(receipts[0].victims[0].after == 7);
  // 30 is 0x41f00000.
  step(net, "weight-gradient:first[0,0] flip(31)");
  CHECK(grad_of_first(net).equal(floats({-30, 40, 0, 0})));
  Injector injector(net, tiny::pair());
  net->zero_grad();
  Armed armed(injector, parse_fault("bias-gradient:first[1] constant(4)"));
  net(tiny::pair()).sum().backward();
  CHECK(net->first->bias.grad().equal(floats({10, 4})));
}

TEST_CASE("several faults act in the order written, beside those of values") {
  tiny::InPlace net;
  step(net, "weight-gradient:second[0,0] constant(7); weight-gradient:second[0,0] scale(2)");
  CHECK(grad_of_second(net).equal(floats({14, 0})));
  // The weight that is replaced gets no gradient, and what comes before it one through its faulty value.
  step(net, "weight:second[0,0] constant(20); weight-gradient:second[0,1] constant(9)");
  CHECK(grad_of_second(net).equal(floats({0, 9})));
  CHECK(grad_of_first(net).equal(floats({60, 80, 0, 0})));
  // Of a faulty output, the gradient with respect to what the network goes on with: 10, then 6, then 6 * 5.
  step(net, "output:first[0] scale(5); output-gradient:first[0] constant(6)");
  CHECK(grad_of_first(net).equal(floats({90, 120, 0, 0})));
}

TEST_CASE("forwards are told apart, also where several come before a backward pass") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  const auto accumulated = [&](const std::string& line, bool one_backward) {
    net->zero_grad();
    Armed armed(injector, parse_fault(line));
    at::Tensor sum = torch::zeros({});
    for (int forward = 0; forward < 3; ++forward) {
      const at::Tensor loss = net(tiny::pair()).sum();
      if (!one_backward) loss.backward();
      sum = sum + loss;
    }
    if (one_backward) sum.backward();
    armed.disarm();
    return armed.receipts().at(0);
  };
  for (const bool one_backward : {false, true}) {
    CAPTURE(one_backward);
    // Each forward adds 3.
    CHECK(accumulated("weight-gradient:second[0,0] constant(7)%1", one_backward).forwards == 1);
    CHECK(grad_of_second(net).equal(floats({3 + 7 + 3, 0})));
    CHECK(accumulated("weight-gradient:second[0,0] constant(7)", one_backward).forwards == 3);
    CHECK(grad_of_second(net).equal(floats({21, 0})));
    CHECK(accumulated("output-gradient:second[0] constant(2)%1:", one_backward).first_forward ==
          (one_backward ? 2 : 1));
    CHECK(grad_of_second(net).equal(floats({3 + 6 + 6, 0})));
  }
}

TEST_CASE("a graph that is kept applies the fault in each backward pass while armed, and none afterwards") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  Armed armed(injector, parse_faults("weight-gradient:second[0,0] constant(7); output-gradient:first[1] "
                                     "constant(5)"));
  const at::Tensor loss = net(tiny::pair()).sum();
  for (int pass = 0; pass < 2; ++pass)
    loss.backward({}, /*retain_graph=*/true);
  CHECK(grad_of_second(net).equal(floats({14, 0})));
  CHECK(grad_of_first(net).equal(floats({60, 80, 30, 40})));
  armed.disarm();
  CHECK(armed.receipts()[0].forwards == 2);
  CHECK(armed.receipts()[0].hits == 2);
  loss.backward();
  CHECK(grad_of_second(net).equal(floats({17, 0})));
  CHECK(grad_of_first(net).equal(floats({90, 120, 30, 40})));
  CHECK(armed.receipts()[0].forwards == 2);
}

TEST_CASE("parameters themselves have no hooks, armed or not") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  Armed armed(injector, parse_fault("weight-gradient:second[0,0] constant(7)"));
  const at::Tensor loss = net(tiny::pair()).sum();
  for (const at::Tensor& parameter : net->parameters())
    CHECK(torch::autograd::impl::hooks(parameter).empty());
  loss.backward();
  CHECK(net->second->weight.is_leaf());
  CHECK(net(tiny::pair()).item<float>() == 35);
}

/// y = w (w x), with w = 2.
struct TwiceImpl : torch::nn::Module {
  TwiceImpl() {
    layer = register_module("layer", torch::nn::Linear(torch::nn::LinearOptions(1, 1).bias(false)));
    torch::NoGradGuard no_grad;
    layer->weight.fill_(2);
  }
  torch::Tensor forward(torch::Tensor x) { return layer(layer(x)); }
  torch::nn::Linear layer{nullptr};
};
TORCH_MODULE(Twice);

TEST_CASE("the gradient of a parameter is that of one forward, summed over all that read it") {
  Twice net;
  const at::Tensor x = torch::full({1, 1}, 3.f);
  Injector injector(net, x);
  Armed armed(injector, parse_fault("weight-gradient:layer[0,0] scale(10)"));
  net(x).sum().backward();
  CHECK(armed.receipts().at(0).victims.at(0).before == 12);  // d(w w x) / dw = 2 w x
  CHECK(armed.receipts()[0].forwards == 1);
  CHECK(net->layer->weight.grad().item<float>() == 120);
  // The inner layer's output is 6; its gradient w = 2 is replaced, so d/dw = 6 + 5 x.
  net->zero_grad();
  armed.disarm();
  Armed inner(injector, parse_fault("output-gradient:layer[0] constant(5)"));
  net(x).sum().backward();
  CHECK(net->layer->weight.grad().item<float>() == 6 + 5 * 3);
}

TEST_CASE("torch::autograd::grad and gradients of gradients") {
  Twice net;
  const at::Tensor x = torch::full({1, 1}, 3.f);
  Injector injector(net, x);
  Armed armed(injector, parse_fault("weight-gradient:layer[0,0] scale(10)"));
  const at::Tensor loss = net(x).sum();
  const at::Tensor first =
      torch::autograd::grad({loss}, {net->layer->weight}, {}, {}, /*create_graph=*/true)[0];
  CHECK(first.item<float>() == 120);
  // 10 * 2 w x has the derivative 20 x = 60. The second pass meets the same hook, which takes it ten times,
  // too.
  CHECK(torch::autograd::grad({first.sum()}, {net->layer->weight})[0].item<float>() == 600);
}

TEST_CASE("batch, draws and locations are those of any fault") {
  tiny::Residual net;
  const at::Tensor x = tiny::image().repeat({3, 1, 1, 1});
  Injector injector(net, x);
  const auto receipt = [&](const std::string& line) {
    Armed armed(injector, parse_fault(line));
    net->zero_grad();
    net(x).sum().backward();
    armed.disarm();
    return armed.receipts().at(0);
  };
  // d/dw is the sum of x, 10 an element; without the 3 of one of them, and without the row [1, 2].
  receipt("output-gradient:conv[0,1,0]@1 zero");
  CHECK(net->conv->weight.grad().item<float>() == 30 - 3);
  receipt("output-gradient:conv[0,0,*] zero");
  CHECK(net->conv->weight.grad().item<float>() == 30 - 3 * 3);
  receipt("output-gradient:conv[ch=0]@2 zero");
  CHECK(net->conv->weight.grad().item<float>() == 20);
  const Receipt drawn = receipt("output-gradient:conv[?]@each random(-1,1)#5");
  CHECK(drawn.hits == 3);
  const float gradient = net->conv->weight.grad().item<float>();
  receipt(drawn.fault);
  CHECK(net->conv->weight.grad().item<float>() == gradient);
  const Receipt once = receipt("output-gradient:conv[?] zero#5");
  CHECK(once.fault.find('?') == std::string::npos);
}

TEST_CASE("a gradient has the shape that its forward had") {
  tiny::Residual net;
  Injector injector(net, tiny::image());
  injector.learn([&] { net(torch::ones({1, 1, 3, 3})); });
  const faultwave::Site& site = injector.site(SiteKind::output_gradient, "conv");
  CHECK(site.free_axes == std::vector<int64_t>{2, 3});
  Armed armed(injector, parse_fault("output-gradient:conv[0,2,2] constant(3)"));
  net(tiny::image()).sum().backward();
  CHECK(armed.missed().size() == 1);
  net->zero_grad();
  net(torch::ones({1, 1, 3, 3})).sum().backward();
  CHECK(net->conv->weight.grad().item<float>() == 9 + 2);
  CHECK(armed.receipts().at(0).first_forward == 1);
}

TEST_CASE("a backward pass on another thread is hit, too") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  Armed armed(injector, parse_fault("weight-gradient:second[0,0] constant(7)"));
  const at::Tensor loss = net(tiny::pair()).sum();
  std::thread([&] { loss.backward(); }).join();
  armed.disarm();
  CHECK(grad_of_second(net).equal(floats({7, 0})));
}

TEST_CASE("threads that train one network meet their own faults alone") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::string value = std::to_string(t + 10);
        const char* kind = t % 2 == 0 ? "weight-gradient:second[0,0]" : "output-gradient:second[0]";
        Armed armed(injector, parse_fault(kind + (" constant(" + value + ")")));
        const at::Tensor loss = net(tiny::pair()).sum();
        const at::Tensor gradient = torch::autograd::grad({loss}, {net->second->weight})[0];
        armed.disarm();
        const float expected = static_cast<float>(t % 2 == 0 ? t + 10 : 3 * (t + 10));
        if (!gradient.flatten().equal(floats({expected, 0}))) ++wrong[static_cast<size_t>(t)];
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("a gradient that did not come is a miss, and the error says what to run") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  const auto miss = [&](const std::string& line, const std::function<void()>& run) {
    Armed armed(injector, parse_fault(line));
    run();
    return error_of(ErrorCode::illegal_fault, [&] { armed.disarm(); });
  };
  for (const char* line : {"weight-gradient:second[0,0] zero", "output-gradient:second[0] zero"}) {
    CAPTURE(line);
    const std::string expected =
        std::string("'") + line + "' (no backward pass brought that gradient while it was armed";
    check_contains(miss(line, [&] { net(tiny::pair()); }), expected);
    check_contains(miss(line,
                        [&] {
                          torch::NoGradGuard no_grad;
                          net(tiny::pair());
                        }),
                   expected);
    check_contains(miss(line + std::string("%4"), [&] { net(tiny::pair()).sum().backward(); }),
                   "acts in forward 4, and there was forward 0 alone");
  }
}

/// A frozen layer, a layer that learns, and the class of the largest score.
struct FrozenImpl : torch::nn::Module {
  FrozenImpl() {
    frozen = register_module("frozen", torch::nn::Linear(2, 2));
    open = register_module("open", torch::nn::Linear(2, 2));
    frozen->weight.set_requires_grad(false);
    frozen->bias.set_requires_grad(false);
  }
  torch::Tensor forward(torch::Tensor x) { return open(frozen(x)).argmax(1); }
  torch::nn::Linear frozen{nullptr}, open{nullptr};
};
TORCH_MODULE(Frozen);

TEST_CASE("gradients are listed for what can have one, behind all other sites") {
  Frozen net;
  Injector injector(net, tiny::pair());
  std::vector<std::string> names;
  int number = static_cast<int>(injector.sites().size());
  for (const faultwave::Site& site : injector.gradient_sites()) {
    names.push_back(std::string(to_string(site.kind)) + ":" + site.name);
    CHECK(site.number == number++);
    CHECK_FALSE(site.is_default);
  }
  CHECK(names == std::vector<std::string>{"output-gradient:frozen/t", "output-gradient:frozen",
                                          "weight-gradient:open", "output-gradient:open/t",
                                          "bias-gradient:open", "output-gradient:open"});
  for (const faultwave::Site& site : injector.sites())
    CHECK_FALSE(is_gradient(site.kind));
  CHECK(injector.site(SiteKind::output_gradient, "open").shape == std::vector<int64_t>{1, 2});
  CHECK(injector.select(SiteKind::weight_gradient, {"o*"}).size() == 1);
  CHECK(injector.select(SiteKind::weight_gradient).empty());

  const auto refusal = [&](const std::string& line) {
    return error_of(ErrorCode::illegal_fault, [&] { injector.resolve(parse_fault(line)); });
  };
  CHECK(refusal("weight-gradient:frozen[0,0] zero") ==
        "no weight-gradient site is named 'frozen' (it is the name of a site of kind weight, bias, input, "
        "output); "
        "outputs that are floating point have a gradient, and parameters that require one, too");
  check_contains(refusal("output-gradient:opne[0] zero"), "did you mean open");
  check_contains(refusal("output-gradient:argmax[] zero"), "no output-gradient site is named 'argmax'");
  check_contains(refusal("weight-gradient:open[0,9] zero"), "index 9 on axis 1 is out of range");
  check_contains(refusal("weight-gradient:open[0,0]@1 zero"), "the site does not grow with the batch");
}

TEST_CASE("engines and offline changes have no gradients") {
  const at::Tensor weight = torch::ones({2, 2}).requires_grad_();
  const std::shared_ptr<faultwave::Network> network = faultwave::network_of(
      [weight](const std::vector<c10::IValue>& inputs) {
        return c10::IValue(torch::linear(inputs[0].toTensor(), weight));
      },
      {{"fc.weight", weight}});
  const auto workload =
      std::make_shared<faultwave::Workload>(network, faultwave::inputs_from_tensor(torch::ones({1, 2})));
  faultwave::DirectEngine engine(workload, faultwave::DirectOptions{1});
  CHECK(error_of(ErrorCode::illegal_fault,
                 [&] {
                   engine.run({{0, 0, {parse_fault("weight-gradient:fc[0,0] zero")}}},
                              [](size_t, const faultwave::TrialOutputs&) { FAIL("a trial ran"); });
                 }) ==
        "fault 'weight-gradient:fc[0,0] zero': a trial runs no backward pass, so it has no gradients; arm "
        "the fault "
        "around a training step of your own");
  check_contains(
      error_of(ErrorCode::illegal_fault,
               [&] { faultwave::perturb(*network, {parse_fault("weight-gradient:fc[0,0] zero")}); }),
      "only weights, biases and buffers can be changed for good");
}

}  // namespace
