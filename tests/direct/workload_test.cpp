// SPDX-License-Identifier: Apache-2.0
#include "faultwave/workload.h"

#include <torch/torch.h>

#include <doctest/doctest.h>

#include "faultwave/direct_engine.h"
#include "faultwave/error.h"

#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

namespace nn = torch::nn;

nn::Sequential normed() {
  torch::manual_seed(1);
  return nn::Sequential(nn::Linear(4, 3), nn::BatchNorm1d(3), nn::ReLU());
}

TEST_CASE("a module in train mode runs in eval mode, and is in train mode again behind each forward") {
  nn::Sequential net = normed();
  net->train();
  const at::Tensor x = torch::randn({5, 4});
  const at::Tensor mean = net[1]->named_buffers()["running_mean"].clone();
  const auto workload = std::make_shared<Workload>(network_of(net), inputs_from_tensor(x));
  DirectEngine engine(workload);
  engine.run({{.number = 0, .input = 1, .faults = parse_faults("output:0[2] constant(9)")}},
             [](size_t, const TrialOutputs& outputs) { CHECK(outputs.crash.empty()); });
  CHECK(net->is_training());
  CHECK(net[1]->is_training());
  CHECK(net[1]->named_buffers()["running_mean"].equal(mean));
  net->eval();
  torch::NoGradGuard no_grad;
  CHECK(at::allclose(workload->golden(3)[0], net->forward(x.narrow(0, 3, 1))[0]));
}

TEST_CASE("a workload outlives whoever made it") {
  std::unique_ptr<DirectEngine> engine;
  {
    nn::Sequential net = normed();
    engine = std::make_unique<DirectEngine>(
        std::make_shared<Workload>(network_of(net), inputs_from_tensor(torch::randn({2, 4}))));
  }
  int calls = 0;
  engine->run({{.number = 0, .input = 1, .faults = parse_faults("weight:0[0,0] zero")}},
              [&](size_t, const TrialOutputs&) { ++calls; });
  CHECK(calls == 1);
}

TEST_CASE("fingerprints tell networks in memory apart by values and by calls") {
  const auto inputs = inputs_from_tensor(torch::randn({2, 4}));
  const auto of = [&](const std::shared_ptr<Network>& network) {
    return Workload(network, inputs).fingerprint();
  };
  nn::Sequential net = normed();
  const std::string first = of(network_of(net));
  CHECK(first.size() == 64);
  CHECK(of(network_of(normed())) == first);
  const auto without_relu = network_of(net.ptr(), [net](const std::vector<c10::IValue>& in) mutable {
    return c10::IValue(
        net[1]->as<nn::BatchNorm1d>()->forward(net[0]->as<nn::Linear>()->forward(in.at(0).toTensor())));
  });
  CHECK(of(without_relu) != first);
  torch::NoGradGuard no_grad;
  net[0]->named_parameters()["weight"].mul_(2);
  CHECK(of(network_of(net)) != first);
}

TEST_CASE("what is no workload is refused with what was expected") {
  const auto inputs = inputs_from_tensor(torch::randn({2, 4}));
  check_contains(error_of(ErrorCode::usage, [&] { Workload(nullptr, inputs); }), "needs a network");
  check_contains(error_of(ErrorCode::usage, [&] { Workload(network_of(normed()), nullptr); }),
                 "needs at least one input");
  const auto wide = inputs_from_tensor(torch::randn({2, 7}));
  check_contains(error_of(ErrorCode::bad_network, [&] { Workload(network_of(normed()), wide); }),
                 "cannot run on input #0, of shape [7] without the batch");
  check_contains(error_of(ErrorCode::usage,
                          [&] { network_of(std::shared_ptr<nn::Module>(), [](const auto&) { return 1; }); }),
                 "module of a network in memory is null");
}

}  // namespace
}  // namespace faultwave
