// SPDX-License-Identifier: Apache-2.0
// Faults that act in some of the forwards that run while they are armed.
#include <torch/torch.h>

#include <string>
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

/// The first output value of tiny::Residual, in each of four forwards: 4 where it is golden.
std::vector<float> first_values(const std::string& line, std::vector<Receipt>* receipts = nullptr) {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  Injector injector(net, tiny::image());
  std::vector<float> values;
  Armed armed(injector, parse_faults(line));
  for (int forward = 0; forward < 4; ++forward)
    values.push_back(net(tiny::image()).flatten()[0].item<float>());
  armed.disarm();
  if (receipts != nullptr) *receipts = armed.receipts();
  CHECK(net(tiny::image()).flatten()[0].item<float>() == 4);
  return values;
}

TEST_CASE("a fault acts in the forwards that it names, whatever its kind") {
  CHECK(first_values("output:conv[0,0,0] zero") == std::vector<float>{1, 1, 1, 1});
  CHECK(first_values("output:conv[0,0,0] zero%2") == std::vector<float>{4, 4, 1, 4});
  CHECK(first_values("output:conv[0,0,0] zero%1:3") == std::vector<float>{4, 1, 1, 4});
  CHECK(first_values("output:conv[0,0,0] zero%2:") == std::vector<float>{4, 4, 1, 1});
  CHECK(first_values("output:add[0,0,0] zero%0") == std::vector<float>{0, 4, 4, 4});
  CHECK(first_values("input:conv[0,0,0] zero%2") == std::vector<float>{4, 4, 2, 4});
  CHECK(first_values("network-input:0[0,0,0] zero%2") == std::vector<float>{4, 4, 1, 4});
  CHECK(first_values("weight:conv[0,0,0,0] constant(9)%1:3") == std::vector<float>{4, 11, 11, 4});
  CHECK(first_values("bias:conv[0] constant(6)%3") == std::vector<float>{4, 4, 4, 9});
}

TEST_CASE("faults of one tensor act each in its own forwards") {
  CHECK(first_values("weight:conv[0,0,0,0] constant(9)%1:3; weight:conv[0,0,0,0] scale(2)%2:") ==
        std::vector<float>{4, 11, 20, 6});
  CHECK(first_values("output:conv[0,0,0] constant(7)%0:2; output:conv[0,0,0] scale(2)%1:") ==
        std::vector<float>{8, 15, 7, 7});
}

TEST_CASE("receipts tell in which forward a fault hit first") {
  std::vector<Receipt> receipts;
  first_values("output:conv[0,0,0] zero%1:3; weight:conv[0,0,0,0] scale(2)%3; output:add[*] zero", &receipts);
  REQUIRE(receipts.size() == 3);
  CHECK(receipts[0].fault == "output:conv[0,0,0] zero%1:3");
  CHECK(receipts[0].first_forward == 1);
  CHECK(receipts[0].forwards == 2);
  CHECK(receipts[0].hits == 2);
  CHECK(receipts[1].first_forward == 3);
  CHECK(receipts[1].forwards == 1);
  CHECK(receipts[2].first_forward == 0);
  CHECK(receipts[2].forwards == 4);
}

TEST_CASE("a drawn fault hits the same place in each forward, and its receipt replays it") {
  std::vector<Receipt> receipts;
  const std::vector<float> values = first_values("output:conv[?] random(5,9)%1:3#3", &receipts);
  CHECK(receipts[0].fault.find('?') == std::string::npos);
  CHECK(receipts[0].fault.ends_with("random(5,9)%1:3#3"));
  CHECK(first_values(receipts[0].fault) == values);
}

/// Its second layer runs where the sum of the input is positive.
struct EarlyExitImpl : torch::nn::Module {
  EarlyExitImpl() {
    first = register_module("first", torch::nn::Linear(1, 1));
    second = register_module("second", torch::nn::Linear(1, 1));
    torch::NoGradGuard no_grad;
    for (torch::nn::Linear layer : {first, second}) {
      layer->weight.fill_(1);
      layer->bias.fill_(0);
    }
  }
  torch::Tensor forward(torch::Tensor x) {
    const torch::Tensor hidden = first(x);
    return x.item<float>() > 0 ? second(hidden) : hidden;
  }
  torch::nn::Linear first{nullptr}, second{nullptr};
};
TORCH_MODULE(EarlyExit);

TEST_CASE("forwards count where they do not come by the fault") {
  torch::NoGradGuard no_grad;
  EarlyExit net;
  const auto input = [](float value) { return torch::full({1, 1}, value); };
  Injector injector(net, input(1));
  for (const char* line : {"output:second[0] constant(9)%2", "weight:second[0,0] constant(3)%2"}) {
    CAPTURE(line);
    Armed armed(injector, parse_fault(line));
    CHECK(net(input(3)).item<float>() == 3);
    CHECK(net(input(-1)).item<float>() == -1);
    CHECK(net(input(3)).item<float>() == 9);
    CHECK(net(input(3)).item<float>() == 3);
    armed.disarm();
    CHECK(armed.receipts()[0].first_forward == 2);
  }
}

TEST_CASE("a fault whose forward did not come has missed, and the error says how many there were") {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  Injector injector(net, tiny::image());
  const auto miss = [&](const std::string& line, int forwards) {
    Armed armed(injector, parse_faults(line));
    for (int i = 0; i < forwards; ++i)
      net(tiny::image());
    CHECK(armed.missed().size() == 1);
    return error_of(ErrorCode::illegal_fault, [&] { armed.disarm(); });
  };
  CHECK(
      miss("output:conv[0,0,0] zero%5; output:add[*] zero", 3) ==
      "armed and hit nothing: 'output:conv[0,0,0] zero%5' (acts in forward 5, and there were forwards 0 to 2 "
      "alone)");
  CHECK(miss("weight:conv[0,0,0,0] zero%5:8", 1) ==
        "armed and hit nothing: 'weight:conv[0,0,0,0] zero%5:8' (acts in forward 5 and behind it, and there "
        "was "
        "forward 0 alone)");
  check_contains(miss("output:conv[0,0,0] zero%5", 0), "run the network that was profiled");
}

TEST_CASE("a training step can be chosen like any forward") {
  tiny::InPlace net;
  Injector injector(net, tiny::pair());
  Armed armed(injector, parse_fault("output:first[1] constant(2)%1"));
  std::vector<float> outputs;
  for (int step = 0; step < 3; ++step) {
    net->zero_grad();
    const at::Tensor y = net(tiny::pair());
    outputs.push_back(y.item<float>());
    y.sum().backward();
    // The hidden values 3 and 0, or 3 and 2.
    CHECK(net->second->weight.grad()[0][1].item<float>() == (step == 1 ? 2 : 0));
  }
  CHECK(outputs == std::vector<float>{35, 235, 35});
}

TEST_CASE("a range of forwards that is none is refused when the fault is resolved") {
  tiny::Residual net;
  Injector injector(net, tiny::image());
  faultwave::Fault fault = parse_fault("output:conv[0,0,0] zero");
  for (const faultwave::ForwardRange range : {faultwave::ForwardRange{3, 3}, {-1, 2}}) {
    fault.forwards = range;
    check_contains(error_of(ErrorCode::illegal_fault, [&] { injector.resolve(fault); }),
                   "a range of forwards begin:end, its end not included, needs 0 <= begin < end");
  }
}

TEST_CASE("an engine runs one forward a trial, so a fault of later ones alone is refused before any") {
  int forwards = 0;
  const at::Tensor weight = torch::ones({2, 2});
  const std::shared_ptr<faultwave::Network> network = faultwave::network_of(
      [&forwards, weight](const std::vector<c10::IValue>& inputs) {
        ++forwards;
        return c10::IValue(torch::linear(inputs[0].toTensor(), weight));
      },
      {{"fc.weight", weight}});
  const auto workload =
      std::make_shared<faultwave::Workload>(network, faultwave::inputs_from_tensor(torch::ones({1, 2})));
  faultwave::DirectEngine engine(workload, faultwave::DirectOptions{1});
  const int before = forwards;
  int outcomes = 0;
  const auto run = [&](const std::string& line) {
    engine.run({{0, 0, {parse_fault("output:fc[0] zero")}}, {1, 0, {parse_fault(line)}}},
               [&](size_t, const faultwave::TrialOutputs&) { ++outcomes; });
  };
  CHECK(error_of(ErrorCode::illegal_fault, [&] { run("output:fc[0] zero%1"); }) ==
        "fault 'output:fc[0] zero%1': a trial runs one forward, number 0; leave '%' out, or arm the fault "
        "around "
        "a loop of your own");
  CHECK(forwards == before);
  CHECK(outcomes == 0);
  run("output:fc[0] zero%0");
  CHECK(outcomes == 2);
}

TEST_CASE("what is changed for good knows no forwards") {
  tiny::Residual net;
  check_contains(error_of(ErrorCode::illegal_fault,
                          [&] { faultwave::perturb(*net, {parse_fault("weight:conv[0,0,0,0] zero%1")}); }),
                 "what is changed for good runs no forward; leave '%' out");
  CHECK(net->conv->weight.item<float>() == 2);
}

}  // namespace
