// SPDX-License-Identifier: Apache-2.0
// Networks that change between forwards, that draw random numbers, or whose batch elements meet.
#include <torch/torch.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <doctest/doctest.h>

#include "faultwave/direct_engine.h"
#include "faultwave/error.h"

#include "tests/support/expect_error.h"
#include "zoo/module_network.h"

namespace faultwave {
namespace {

using zoo::ModuleNetwork;

/// A linear layer with a buffer, and whatever forward.
struct ModuleImpl : torch::nn::Module {
  ModuleImpl() {
    linear = register_module("linear", torch::nn::Linear(2, 2));
    norm = register_module("norm", torch::nn::BatchNorm1d(2));
    state = register_buffer("state", torch::zeros({2}));
    torch::NoGradGuard no_grad;
    linear->weight.copy_(torch::eye(2));
    linear->bias.zero_();
  }
  torch::nn::Linear linear{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
  at::Tensor state;
};

using RunModule = std::function<at::Tensor(ModuleImpl&, const at::Tensor&)>;

struct Setting {
  explicit Setting(RunModule forward, int64_t batch = 4, std::optional<uint64_t> key = {},
                   const at::Tensor& all = torch::tensor({{1.f, 2.f}, {3.f, 5.f}, {-1.f, 4.f}})) {
    network = std::make_shared<ModuleNetwork>(
        module, [module = module, forward](const at::Tensor& x) -> std::vector<at::Tensor> {
          return {forward(*module, x)};
        });
    workload =
        std::make_shared<Workload>(network, inputs_from_tensor(all), WorkloadOptions{.random_key = key});
    injector = &workload->injector();
    engine = std::make_unique<DirectEngine>(workload, DirectOptions{batch});
  }
  std::map<size_t, TrialOutputs> run(const std::vector<Trial>& trials) const {
    std::map<size_t, TrialOutputs> results;
    engine->run(trials, [&](size_t index, const TrialOutputs& outputs) { results.emplace(index, outputs); });
    return results;
  }
  std::shared_ptr<ModuleImpl> module = std::make_shared<ModuleImpl>();
  std::shared_ptr<ModuleNetwork> network;
  std::shared_ptr<Workload> workload;
  const Injector* injector = nullptr;
  std::unique_ptr<DirectEngine> engine;
};

/// y = linear(x) + state, and the state moves on by the mean of y.
at::Tensor remembers(ModuleImpl& module, const at::Tensor& x) {
  const at::Tensor y = module.linear(x) + module.state;
  module.state.add_(y.mean(0));
  return y;
}

Trial trial(uint64_t number, int64_t input, const std::string& line) {
  return {number, input, {parse_fault(line)}};
}

TEST_CASE("each run begins from the state that the network had, and leaves it so") {
  torch::NoGradGuard no_grad;
  for (const int64_t batch : {1, 4}) {
    Setting setting(remembers, batch);
    const auto results = setting.run({trial(0, 0, "output:linear[0] constant(10)"),
                                      trial(1, 1, "output:linear[1] constant(20)"),
                                      trial(2, 0, "weight:linear[0,0] constant(7)")});
    CHECK(results.at(0).golden[0].equal(torch::tensor({1.f, 2.f})));
    CHECK(results.at(0).faulty[0].equal(torch::tensor({10.f, 2.f})));
    CHECK(results.at(1).golden[0].equal(torch::tensor({3.f, 5.f})));
    CHECK(results.at(1).faulty[0].equal(torch::tensor({3.f, 20.f})));
    CHECK(results.at(2).faulty[0].equal(torch::tensor({7.f, 2.f})));
    CHECK(setting.module->state.equal(torch::zeros({2})));
  }
}

TEST_CASE("outputs that lie in the state itself stay what they were") {
  torch::NoGradGuard no_grad;
  Setting setting([](ModuleImpl& module, const at::Tensor& x) {
    return module.state.copy_(module.linear(x).sum(0)).unsqueeze(0);
  });
  const auto results = setting.run({trial(0, 0, "output:linear[0] constant(10)")});
  CHECK(results.at(0).golden[0].equal(torch::tensor({1.f, 2.f})));
  CHECK(results.at(0).faulty[0].equal(torch::tensor({10.f, 2.f})));
}

TEST_CASE("Injector::run puts buffers back, also after an exception, and a returned buffer keeps its value") {
  torch::NoGradGuard no_grad;
  Setting setting(remembers);
  ModuleImpl& module = *setting.module;
  const at::Tensor x = torch::tensor({{1.f, 2.f}});
  const Fault fault = parse_fault("output:linear[0] constant(10)");
  const at::Tensor y = setting.injector->run(fault, [&] {
    remembers(module, x);
    return module.state;
  });
  CHECK(y.equal(torch::tensor({10.f, 2.f})));
  CHECK(module.state.equal(torch::zeros({2})));
  CHECK_THROWS(setting.injector->run(fault, [&]() -> at::Tensor {
    remembers(module, x);
    throw std::runtime_error("the user's own");
  }));
  CHECK(module.state.equal(torch::zeros({2})));
  CHECK(remembers(module, x).equal(x));
}

TEST_CASE("a network that draws random numbers is refused by the operator's name, and runs by a key") {
  torch::NoGradGuard no_grad;
  const auto drops = [](ModuleImpl& module, const at::Tensor& x) {
    return torch::dropout(module.linear(x.repeat({1, 8}).view({-1, 2})), 0.5, true).view({-1, 16});
  };
  const std::string message = error_of(ErrorCode::bad_network, [&] { Setting{drops}; });
  check_contains(message, "aten::dropout at dropout");
  check_contains(message, "random key");

  Setting setting(drops, 4, 7);
  CHECK(setting.workload->is_unsteady());
  torch::manual_seed(5);
  const at::Tensor before = torch::rand({3});
  torch::manual_seed(5);
  const auto results =
      setting.run({trial(0, 0, "output:linear[*] scale(1)"), trial(1, 1, "output:linear[*] scale(1)"),
                   trial(2, 0, "weight:linear[*] scale(1)")});
  // Zeros where dropout put them, which are the same in golden and faulty runs, alone and beside others.
  for (const auto& [index, outputs] : results)
    CHECK(outputs.faulty[0].equal(outputs.golden[0]));
  CHECK(results.at(0).golden[0].equal(results.at(2).golden[0]));
  CHECK((results.at(0).golden[0] == 0).equal(results.at(1).golden[0] == 0));
  CHECK((results.at(0).golden[0] == 0).any().item<bool>());
  // The user's own draws are not touched.
  CHECK(torch::rand({3}).equal(before));
}

TEST_CASE("a norm in train mode is refused by its name, and with a key runs one input at a time") {
  torch::NoGradGuard no_grad;
  const auto trains = [](ModuleImpl& module, const at::Tensor& x) {
    const at::Tensor y = x.repeat({1, 2}).view({-1, 2, 2});
    return torch::batch_norm(module.linear(y).transpose(1, 2), {}, {}, module.norm->running_mean,
                             module.norm->running_var, true, 0.1, 1e-5, false)
        .flatten(1);
  };
  check_contains(error_of(ErrorCode::bad_network, [&] { Setting{trains}; }), "aten::batch_norm at norm");
  Setting setting(trains, 4, 1);
  const auto shared = setting.run(
      {trial(0, 0, "output:linear[0,0] constant(9)"), trial(1, 1, "output:linear[0,0] constant(-9)")});
  const auto alone = setting.run({trial(0, 0, "output:linear[0,0] constant(9)")});
  CHECK(shared.at(0).faulty[0].equal(alone.at(0).faulty[0]));
  CHECK(setting.module->norm->running_mean.equal(torch::zeros({2})));
  CHECK(setting.module->norm->num_batches_tracked.item<int64_t>() == 0);
}

TEST_CASE("inputs that have an influence on one another run alone") {
  torch::NoGradGuard no_grad;
  Setting setting([](ModuleImpl& module, const at::Tensor& x) {
    const at::Tensor y = module.linear(x);
    return y - y.mean(0, true) / 2;
  });
  const auto results = setting.run(
      {trial(0, 0, "output:linear[0] constant(10)"), trial(1, 1, "output:linear[0] constant(100)")});
  // Alone, the mean is the input itself.
  CHECK(results.at(0).faulty[0].equal(torch::tensor({5.f, 1.f})));
  CHECK(results.at(1).faulty[0].equal(torch::tensor({50.f, 2.5f})));
}

TEST_CASE("inputs that would have an influence on one another under a fault run alone") {
  torch::NoGradGuard no_grad;
  // The largest value of the batch is that of the first input, unless a fault makes a larger one.
  const at::Tensor all = torch::tensor({{8.f, 4.f}, {2.f, 1.f}});
  Setting setting(
      [](ModuleImpl& module, const at::Tensor& x) {
        const at::Tensor y = module.linear(x);
        return y / y.max();
      },
      4, {}, all);
  const auto results = setting.run(
      {trial(0, 0, "output:linear[0] constant(64)"), trial(1, 0, "output:linear[1] constant(2)")});
  CHECK(results.at(0).faulty[0].equal(torch::tensor({1.f, 0.0625f})));
  CHECK(results.at(1).faulty[0].equal(torch::tensor({1.f, 0.25f})));
}

TEST_CASE("a network that gives something else each time is refused where that begins") {
  int calls = 0;
  const std::string message = error_of(ErrorCode::bad_network, [&] {
    Setting{[&](ModuleImpl& module, const at::Tensor& x) { return module.linear(x).add(++calls).relu(); }};
  });
  check_contains(message, "other outputs");
  check_contains(message, "aten::add at add");
}

TEST_CASE("a network that writes to its parameters is refused by the parameter's name") {
  torch::NoGradGuard no_grad;
  const std::string message = error_of(ErrorCode::bad_network, [&] {
    Setting{[&](ModuleImpl& module, const at::Tensor& x) {
      const at::Tensor y = module.linear(x);
      module.linear->bias.data().fill_(0).add_(0);
      torch::NoGradGuard inner;
      module.linear->bias.mul_(1);
      return y;
    }};
  });
  check_contains(message, "linear.bias");
}

TEST_CASE("a fault-free run that throws names the input") {
  torch::NoGradGuard no_grad;
  const at::Tensor all = torch::tensor({{1.f, 2.f}, {3.f, 5.f}, {900.f, 4.f}, {0.f, 1.f}});
  const auto looks_up = [](ModuleImpl& module, const at::Tensor& x) {
    return module.linear(x) + torch::ones({100}).index_select(0, x.select(1, 0).to(at::kLong)).unsqueeze(1);
  };
  for (const int64_t batch : {1, 4}) {
    Setting setting(looks_up, batch, {}, all);
    std::vector<Trial> trials;
    for (int64_t input = 0; input < 4; ++input)
      trials.push_back(trial(static_cast<uint64_t>(input), input, "output:linear[0] zero"));
    const std::string message = error_of(ErrorCode::bad_network, [&] { setting.run(trials); });
    check_contains(message, "the fault-free network fails on input 2");
    check_contains(message, "index out of range");
    CHECK(message.find('\n') == std::string::npos);
  }
  check_contains(error_of(ErrorCode::bad_network, [&] { Setting(looks_up, 4, {}, all).workload->golden(2); }),
                 "input 2");
}

TEST_CASE("a network of operators without parameters is hit once, and not in the program's own copies") {
  torch::NoGradGuard no_grad;
  Setting setting([](ModuleImpl&, const at::Tensor& x) { return x.clone(); });
  const auto results =
      setting.run({trial(0, 0, "output:clone[0] flip(31)"), trial(1, 1, "input:clone[1] zero"),
                   trial(2, 2, "network-input:x[1] constant(8)")});
  CHECK(results.at(0).faulty[0].equal(torch::tensor({-1.f, 2.f})));
  CHECK(results.at(1).faulty[0].equal(torch::tensor({3.f, 0.f})));
  CHECK(results.at(2).faulty[0].equal(torch::tensor({-1.f, 8.f})));
  for (const auto& [index, outputs] : results) {
    CHECK(outputs.receipts.at(0).forwards == 1);
    CHECK(outputs.receipts.at(0).hits == 1);
  }
}

/// As many rounds of y = linear(y) + 1 as the first value says.
at::Tensor loops(ModuleImpl& module, const at::Tensor& x) {
  at::Tensor y = x;
  for (int64_t round = x.flatten()[0].item<int64_t>(); round > 0; --round)
    y = module.linear(y) + 1;
  return y;
}

TEST_CASE("rounds of a loop that the profile did not have: one forward, faults in the rounds it had") {
  torch::NoGradGuard no_grad;
  Setting setting(loops);  // profiled with one round
  const auto results = setting.run(
      {trial(0, 1, "output:linear[1] constant(10)"), trial(1, 1, "weight:linear[1,1] constant(2)")});
  // Three rounds on (3, 5): linear is the identity, so 5, 6, 7, 8; hit in the first round: 10, 11, 12, 13.
  CHECK(results.at(0).golden[0].equal(torch::tensor({6.f, 8.f})));
  CHECK(results.at(0).faulty[0].equal(torch::tensor({6.f, 13.f})));
  // Doubled in each round: 5, 11, 23, 47.
  CHECK(results.at(1).faulty[0].equal(torch::tensor({6.f, 47.f})));
  for (const auto& [index, outputs] : results) {
    CHECK(outputs.receipts.at(0).forwards == 1);
    CHECK(outputs.receipts.at(0).hits == 1);
  }
}

TEST_CASE("one axis that holds batch times features") {
  torch::NoGradGuard no_grad;
  Setting setting([](ModuleImpl& module, const at::Tensor& x) {
    return module.linear(torch::relu(module.linear(x).view(-1)).view({-1, 2}));
  });
  CHECK(setting.injector->site(SiteKind::output, "relu").batch.rows == 2);
  CHECK(setting.injector->site(SiteKind::output, "relu").element_shape() == std::vector<int64_t>{2});
  const auto results =
      setting.run({trial(0, 0, "output:relu[1] constant(10)"), trial(1, 1, "output:relu[0] constant(20)"),
                   trial(2, 2, "output:relu[1] zero")});
  CHECK(results.at(0).faulty[0].equal(torch::tensor({1.f, 10.f})));
  CHECK(results.at(1).faulty[0].equal(torch::tensor({20.f, 5.f})));
  CHECK(results.at(2).faulty[0].equal(torch::tensor({0.f, 0.f})));
}

/// Takes batches of two to four alone.
struct Picky : ModuleNetwork {
  using ModuleNetwork::ModuleNetwork;
  bool takes(const std::vector<std::vector<int64_t>>& shapes) const override {
    return shapes.at(0).at(0) >= 2 && shapes[0][0] <= 4;
  }
  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override {
    if (!takes({inputs.at(0).toTensor().sizes().vec()}))
      throw UserError(ErrorCode::bad_input, "a batch of another size");
    return ModuleNetwork::forward(inputs);
  }
};

TEST_CASE("a network that takes no single input gets it several times") {
  torch::NoGradGuard no_grad;
  const auto module = std::make_shared<ModuleImpl>();
  const auto network = std::make_shared<Picky>(
      module, [module](const at::Tensor& x) -> std::vector<at::Tensor> { return {module->linear(x) + 1}; });
  const auto inputs = inputs_from_tensor(torch::tensor({{1.f, 2.f}, {3.f, 5.f}, {7.f, 8.f}}));
  const auto workload = std::make_shared<Workload>(network, inputs);
  for (const int64_t batch : {1, 3, 16}) {
    DirectEngine engine(workload, DirectOptions{batch});
    std::vector<Trial> trials;
    for (int64_t number = 0; number < 7; ++number)
      trials.push_back(trial(static_cast<uint64_t>(number), number % 3, "output:linear[1] constant(10)"));
    trials.push_back(trial(7, 1, "weight:linear[0,0] constant(2)"));
    std::map<size_t, TrialOutputs> results;
    engine.run(trials, [&](size_t index, const TrialOutputs& outputs) { results.emplace(index, outputs); });
    const at::Tensor firsts = torch::tensor({2.f, 4.f, 8.f});
    for (size_t i = 0; i < 7; ++i) {
      CHECK(results.at(i).faulty[0].equal(
          torch::stack({firsts[static_cast<int64_t>(i % 3)], torch::tensor(11.f)})));
      CHECK(results.at(i).receipts.at(0).hits == 1);
    }
    CHECK(results.at(7).faulty[0].equal(torch::tensor({7.f, 6.f})));
    CHECK(workload->golden(2)[0].equal(torch::tensor({8.f, 9.f})));
  }
}

}  // namespace
}  // namespace faultwave
