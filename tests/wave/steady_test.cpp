// SPDX-License-Identifier: Apache-2.0
// Networks that keep something from one forward to the next, and those whose inputs meet.
#include <doctest/doctest.h>

#include "tests/wave/made_network.h"

namespace faultwave::test {
namespace {

/// Two linear layers around a hidden state of one row.
struct Recurrent : Holder {
  explicit Recurrent(bool in_place) {
    auto first = add("first", nn::Linear(6, 8));
    auto second = add("second", nn::Linear(8, 4));
    state = register_buffer("state", torch::zeros({1, 8}));
    forward = [=, this](const at::Tensor& x) mutable -> std::vector<at::Tensor> {
      const at::Tensor y = torch::tanh(first->forward(x) + state);
      if (in_place) {
        state.mul_(0.5).add_(y.mean(0, true));
        return {second->forward(y + state)};
      }
      const at::Tensor next = state * 0.5 + y.mean(0, true);
      const at::Tensor scores = second->forward(y + next);
      state.copy_(next);
      return {scores};
    };
  }
  at::Tensor state;
  ModuleNetwork::Forward forward;
};

TEST_CASE("a hidden state in a buffer: both engines begin each forward from it, and leave it") {
  torch::NoGradGuard no_grad;
  for (const bool in_place : {false, true}) {
    CAPTURE(in_place);
    torch::manual_seed(4);
    const auto module = std::make_shared<Recurrent>(in_place);
    module->state.normal_();
    const at::Tensor before = module->state.clone();
    agree(module, module->forward, torch::randn({3, 6}), 200);
    CHECK(module->state.equal(before));
  }
}

TEST_CASE("inputs that meet in a batch do not share a golden forward") {
  torch::NoGradGuard no_grad;
  const auto module = std::make_shared<Holder>();
  auto first = module->add("first", nn::Linear(6, 8));
  auto second = module->add("second", nn::Linear(8, 4));
  agree(module,
        [=](const at::Tensor& x) mutable -> std::vector<at::Tensor> {
          const at::Tensor y = first->forward(x);
          return {second->forward(torch::relu(y - 0.5 * y.mean(0, true)))};
        },
        torch::randn({5, 6}), 100, {.fewest = 1, .inputs = 5, .own_wave = 1000});
}

TEST_CASE("a network that draws random numbers is left to the other engine") {
  torch::NoGradGuard no_grad;
  torch::manual_seed(4);
  const auto module = std::make_shared<Holder>();
  auto layer = module->add("layer", nn::Linear(6, 8));
  const auto network =
      std::make_shared<ModuleNetwork>(module, [=](const at::Tensor& x) mutable -> std::vector<at::Tensor> {
        return {torch::dropout(layer->forward(x), 0.5, true)};
      });
  const auto workload = std::make_shared<Workload>(network, inputs_from_tensor(torch::randn({2, 6})),
                                                   WorkloadOptions{.random_key = 3});
  const auto direct = std::make_shared<DirectEngine>(workload, DirectOptions{4});
  WaveEngine wave(workload, direct, {.fewest = 1});
  std::vector<Trial> trials;
  for (uint64_t number = 0; number < 12; ++number) {
    trials.push_back({number,
                      static_cast<int64_t>(number % 2),
                      {parse_fault("output:layer[" + std::to_string(number % 8) + "] constant(5)")}});
  }
  const auto by_direct = outputs_of(*direct, trials);
  for (const auto& [index, outputs] : outputs_of(wave, trials)) {
    CHECK(outputs.faulty[0].equal(by_direct.at(index).faulty[0]));
    CHECK(outputs.golden[0].equal(by_direct.at(index).golden[0]));
  }
  CHECK(wave.report().left.at("the network draws random numbers") == 12);
}

}  // namespace
}  // namespace faultwave::test
