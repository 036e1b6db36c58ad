// SPDX-License-Identifier: Apache-2.0
#include "faultwave/direct_engine.h"

#include <torch/torch.h>

#include <map>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/population.h"

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

/// A convolution, an in-place ReLU, a linear layer and a lookup that fails for numbers outside of [0, 1000).
class SmallNetwork : public Network {
 public:
  SmallNetwork() {
    torch::manual_seed(5);
    conv_ = torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3));
    linear_ = torch::nn::Linear(3 * 4 * 4, 5);
  }
  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override {
    at::Tensor hidden = conv_(inputs.at(0).toTensor());
    torch::relu_(hidden);
    const at::Tensor scores = linear_(hidden.flatten(1));
    const at::Tensor looked_up = torch::ones({1000}).index_select(0, scores.abs().sum(1).to(at::kLong));
    return {scores, looked_up.unsqueeze(1)};
  }
  std::vector<std::string> input_names() const override { return {"image"}; }
  std::vector<NamedTensor> parameters() const override {
    return {{"conv.weight", conv_->weight},
            {"conv.bias", conv_->bias},
            {"linear.weight", linear_->weight},
            {"linear.bias", linear_->bias}};
  }
  std::vector<NamedTensor> buffers() const override { return {}; }

 private:
  mutable torch::nn::Conv2d conv_{nullptr};
  mutable torch::nn::Linear linear_{nullptr};
};

struct Setting {
  explicit Setting(int64_t batch) {
    torch::NoGradGuard no_grad;
    torch::manual_seed(6);
    workload = std::make_shared<Workload>(network, inputs_from_tensor(torch::randn({3, 1, 6, 6})));
    injector = &workload->injector();
    engine = std::make_unique<DirectEngine>(workload, DirectOptions{batch});
  }
  std::shared_ptr<SmallNetwork> network = std::make_shared<SmallNetwork>();
  std::shared_ptr<Workload> workload;
  const Injector* injector = nullptr;
  std::unique_ptr<DirectEngine> engine;
};

std::map<size_t, TrialOutputs> run(Setting& setting, const std::vector<Trial>& trials) {
  std::map<size_t, TrialOutputs> results;
  setting.engine->run(trials, [&](size_t index, const TrialOutputs& outputs) {
    CHECK(results.emplace(index, outputs).second);
  });
  CHECK(results.size() == trials.size());
  return results;
}

std::vector<Trial> drawn_trials(const Injector& injector, SiteKind kind, int count) {
  const Population population(injector.select(kind), DrawRule::layers, random_value(-1, 1));
  std::vector<Trial> trials;
  for (int number = 0; number < count; ++number) {
    Draw draw(1, static_cast<uint64_t>(number));
    const auto input = static_cast<int64_t>(draw.below(3));
    trials.push_back({static_cast<uint64_t>(number), input, {population.fault(population.draw(draw), draw)}});
  }
  return trials;
}

void check_against_single_runs(SiteKind kind) {
  torch::NoGradGuard no_grad;
  Setting setting(8);
  const std::vector<Trial> trials = drawn_trials(*setting.injector, kind, 60);
  const auto results = run(setting, trials);
  for (const auto& [index, outputs] : results) {
    const Trial& trial = trials[index];
    const at::Tensor x = setting.workload->inputs().get(trial.input).at(0).unsqueeze(0);
    const at::Tensor golden = setting.network->forward({x})[0][0];
    std::vector<Receipt> receipts;
    const at::Tensor faulty =
        setting.injector->run(trial.faults, [&] { return setting.network->forward({x})[0][0]; }, &receipts);
    CAPTURE(to_string(trial.faults));
    CHECK(torch::allclose(outputs.golden[0], golden, 1e-5, 1e-6));
    CHECK(torch::allclose(outputs.faulty[0], faulty, 1e-5, 1e-6));
    CHECK(outputs.golden[1].sizes() == c10::IntArrayRef{1});
    REQUIRE(outputs.receipts.size() == 1);
    CHECK(outputs.receipts[0].fault == receipts[0].fault);
    CHECK(outputs.receipts[0].victims[0].after == doctest::Approx(receipts[0].victims[0].after));
    CHECK(outputs.receipts[0].hits == 1);
  }
}

TEST_CASE("trials that share a forward give what each gives alone") {
  check_against_single_runs(SiteKind::output);
}
TEST_CASE("so do faults in operator inputs") {
  check_against_single_runs(SiteKind::input);
}
TEST_CASE("so do faults in the network's input") {
  check_against_single_runs(SiteKind::network_input);
}
TEST_CASE("so do weight faults, each in a forward of its own") {
  check_against_single_runs(SiteKind::weight);
}

TEST_CASE("a fault that changes nothing leaves the output bitwise golden, whatever the batch") {
  for (int64_t batch : {1, 3, 8}) {
    Setting setting(batch);
    std::vector<Trial> trials;
    for (uint64_t number = 0; number < 8; ++number) {
      trials.push_back(
          {number, static_cast<int64_t>(number % 3), {parse_fault("output:conv[0,0,0] scale(1)")}});
    }
    for (const auto& [index, outputs] : run(setting, trials)) {
      CHECK(outputs.faulty[0].equal(outputs.golden[0]));
      CHECK(outputs.faulty[1].equal(outputs.golden[1]));
    }
  }
}

TEST_CASE("several faults in one trial") {
  torch::NoGradGuard no_grad;
  Setting setting(4);
  const auto faults = parse_faults("output:linear[0] constant(7); output:linear[1] constant(9)");
  const auto results = run(setting, {{0, 0, faults}, {1, 1, {parse_fault("output:linear[2] constant(1)")}}});
  CHECK(results.at(0).faulty[0][0].item<float>() == 7);
  CHECK(results.at(0).faulty[0][1].item<float>() == 9);
  CHECK(results.at(0).receipts.size() == 2);
  CHECK(results.at(1).faulty[0][2].item<float>() == 1);
  CHECK(results.at(1).receipts.size() == 1);
  CHECK(results.at(1).faulty[0][0].item<float>() == results.at(1).golden[0][0].item<float>());
}

TEST_CASE("a crash is an outcome of its own trial alone") {
  Setting setting(4);
  const auto harmless = parse_faults("output:linear[0] zero");
  const auto results = run(
      setting, {{0, 0, harmless}, {1, 0, parse_faults("output:linear[0] constant(1e9)")}, {2, 0, harmless}});
  CHECK(results.at(0).crash.empty());
  CHECK(results.at(2).crash.empty());
  CHECK_FALSE(results.at(1).crash.empty());
  CHECK(results.at(1).crash.find('\n') == std::string::npos);
  CHECK(results.at(1).faulty.empty());
}

TEST_CASE("an illegal fault is refused before anything has run") {
  Setting setting(4);
  int calls = 0;
  const std::vector<Trial> trials{{0, 0, parse_faults("output:linear[0] zero")},
                                  {1, 0, parse_faults("output:linear[5] zero")}};
  const std::string message = error_of(ErrorCode::illegal_fault, [&] {
    setting.engine->run(trials, [&](size_t, const TrialOutputs&) { ++calls; });
  });
  check_contains(message, "linear");
  CHECK(calls == 0);
}

TEST_CASE("a batch of nothing is refused") {
  check_contains(error_of(ErrorCode::usage, [] { Setting{0}; }), "batch is 0");
}

}  // namespace
}  // namespace faultwave
