// SPDX-License-Identifier: Apache-2.0
// When faults are armed, and that nothing is left behind.
#include <torch/torch.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/injector.h"

#include "tests/direct/tiny_networks.h"

namespace {

using faultwave::Armed;
using faultwave::Injector;
using faultwave::parse_fault;
using faultwave::UserError;

TEST_CASE("an exception inside undoes everything and comes out as it was") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  const at::Tensor golden = net(x);
  CHECK_THROWS_WITH_AS(injector.run(parse_fault("weight:conv[0,0,0,0] zero"),
                                    [&]() -> at::Tensor { throw std::runtime_error("the user's own"); }),
                       "the user's own", std::runtime_error);
  CHECK(net(x).equal(golden));
  const at::Tensor hit = injector.run(parse_fault("output:conv[0,0,0] zero"), [&] { return net(x); });
  CHECK_FALSE(hit.equal(golden));
}

TEST_CASE("a fault that hit nothing is an error") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  CHECK_THROWS_WITH_AS(injector.run(parse_fault("output:conv[0,0,0] zero"), [&] { return x * 2; }),
                       doctest::Contains("hit nothing: 'output:conv[0,0,0] zero'"), UserError);
  Armed armed(injector, faultwave::parse_faults("output:conv[0,0,0] zero; weight:conv[0,0,0,0] zero"));
  CHECK(armed.missed() == std::vector<std::string>{"output:conv[0,0,0] zero", "weight:conv[0,0,0,0] zero"});
  CHECK_THROWS_WITH_AS(armed.disarm(), doctest::Contains("hit nothing: 'output:conv[0,0,0] zero'"),
                       UserError);
  armed.disarm();  // it is disarmed, and has said so
  CHECK(net(x).flatten().equal(torch::tensor({4.f, 7.f, 10.f, 13.f})));
}

TEST_CASE("an Armed that hit nothing ends without a word where nobody asks, also as a member") {
  static_assert(std::is_nothrow_destructible_v<Armed>);
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  {
    const auto armed = std::make_unique<Armed>(injector, parse_fault("output:conv[0,0,0] zero"));
    CHECK(armed->missed().size() == 1);
  }
  std::optional<Armed> armed;
  armed.emplace(injector, parse_fault("output:conv[0,0,0] zero"));
  CHECK(net(x)[0][0][0][0].item<float>() == 1);
  CHECK(armed->missed().empty());
  armed.reset();
  CHECK(net(x)[0][0][0][0].item<float>() == 4);
}

TEST_CASE("a scope that ends on another thread switches its faults off and says so") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  auto armed = std::make_unique<Armed>(injector, parse_fault("output:conv[0,0,0] zero"));
  CHECK(net(x)[0][0][0][0].item<float>() == 1);
  std::thread([&] {
    CHECK_THROWS_WITH_AS(armed->disarm(), doctest::Contains("end the scope on the thread that began it"),
                         UserError);
    armed.reset();
  }).join();
  CHECK(net(x)[0][0][0][0].item<float>() == 4);
  const auto next = std::make_unique<Armed>(injector, parse_fault("output:conv[0,0,0] zero"));
  CHECK(net(x)[0][0][0][0].item<float>() == 1);
  next->disarm();
}

TEST_CASE("a scope may be left early from its thread") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  Armed armed(injector, parse_fault("output:conv[0,0,0] zero"));
  armed.abandon();
  CHECK(net(x)[0][0][0][0].item<float>() == 4);
  armed.disarm();  // has been, though it hit nothing
}

TEST_CASE("a mode of torch that ends within the scope is told of") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  auto mode = std::make_unique<c10::InferenceMode>();
  Armed armed(injector, parse_fault("output:conv[0,0,0] zero"));
  net(x);
  mode.reset();
  CHECK_THROWS_WITH_AS(armed.disarm(), doctest::Contains("end them in the opposite order"), UserError);
}

TEST_CASE("after a forward that threw, only what a fault threw is told of") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  Armed missed(injector, parse_fault("output:conv[0,0,0] zero"));
  missed.disarm_after_error();
  faultwave::register_user_model("broken", [](const at::Tensor&, const auto&, auto&) -> at::Tensor {
    throw std::runtime_error("the model's own");
  });
  Armed broken(injector, parse_fault("output:conv[0,0,0] user(broken)"));
  CHECK_THROWS(net(x));
  CHECK_THROWS_WITH_AS(broken.disarm_after_error(), doctest::Contains("the model's own"), UserError);
}

/// Buffers that a forward resizes, and some that few operators know.
struct OddBuffersImpl : torch::nn::Module {
  OddBuffersImpl() {
    layer = register_module("layer", torch::nn::Linear(2, 2));
    sparse = register_buffer("sparse", torch::eye(2).to_sparse());
    half = register_buffer("half", torch::ones({2}, at::kComplexHalf));
    resized = register_buffer("resized", torch::ones({2}));
  }
  torch::Tensor forward(torch::Tensor x) {
    sparse.mul_(2);
    half.fill_(3);
    resized.resize_({3, 7}).fill_(1);
    return layer(x) + resized.sum();
  }
  torch::nn::Linear layer{nullptr};
  torch::Tensor sparse, half, resized;
};
TORCH_MODULE(OddBuffers);

TEST_CASE("sparse, resized and half complex buffers are put back like others") {
  torch::NoGradGuard no_grad;
  OddBuffers net;
  const at::Tensor x = torch::tensor({{1.f, 2.f}});
  Injector injector(net, x);
  injector.run(parse_fault("output:layer[0] zero"), [&] { return net(x); });
  CHECK(net->sparse.to_dense().equal(torch::eye(2)));
  CHECK(net->half.to(at::kComplexFloat).equal(torch::ones({2}, at::kComplexFloat)));
  CHECK(net->resized.equal(torch::ones({2})));
}

TEST_CASE("arming twice on one thread is refused, and the first stays armed") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  Armed armed(injector, parse_fault("output:conv[0,0,0] zero"));
  CHECK_THROWS_WITH_AS(Armed(injector, parse_fault("output:conv[0,0,1] zero")), doctest::Contains("armed"),
                       UserError);
  CHECK(net(x)[0][0][0][0].item<float>() == 1);
  armed.disarm();
  CHECK(net(x)[0][0][0][0].item<float>() == 4);
}

TEST_CASE("an illegal fault arms nothing") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  CHECK_THROWS_AS(
      Armed(injector, faultwave::parse_faults("output:conv[0,0,0] zero; output:conv[0,0,9] zero")),
      UserError);
  Armed armed(injector, parse_fault("output:conv[0,0,1] zero"));
  CHECK(net(x).flatten().equal(torch::tensor({4.f, 2.f, 10.f, 13.f})));
}

TEST_CASE("threads run different faults on one network at once") {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      torch::NoGradGuard thread_no_grad;
      const bool by_weight = t % 2 == 1;
      const std::string line = by_weight ? "weight:conv[0,0,0,0] constant(" + std::to_string(t) + ")"
                                         : "output:conv[*] constant(" + std::to_string(t) + ")";
      const at::Tensor expected = by_weight ? t * x + 1 + x : x + t;
      for (int i = 0; i < 200; ++i) {
        const at::Tensor y = injector.run(parse_fault(line), [&] { return net(x); });
        if (!y.equal(expected)) ++wrong[static_cast<size_t>(t)];
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
  CHECK(net(x).equal(3 * x + 1));
}

TEST_CASE("the dummy inference leaves modes, buffers and random state as they were") {
  torch::nn::Sequential net(torch::nn::Conv2d(1, 2, 1), torch::nn::BatchNorm2d(2), torch::nn::Dropout(0.5));
  net->train();
  net[0]->as<torch::nn::Conv2d>()->eval();
  torch::manual_seed(11);
  const at::Tensor expected = torch::rand({4});
  torch::manual_seed(11);
  Injector injector(*net, [&](const auto& in) { torch::dropout(net->forward(in[0].toTensor()), 0.5, true); },
                    {torch::ones({2, 1, 2, 2})});
  CHECK(torch::rand({4}).equal(expected));
  CHECK(net->is_training());
  CHECK_FALSE(net[0]->is_training());
  CHECK(net[1]->is_training());
  CHECK(net[1]->as<torch::nn::BatchNorm2d>()->num_batches_tracked.item<int64_t>() == 0);
  CHECK(net[1]->as<torch::nn::BatchNorm2d>()->running_mean.equal(torch::zeros({2})));
}

TEST_CASE("a network that cannot take the example is refused with its own message") {
  torch::nn::Linear net(3, 2);
  CHECK_THROWS_WITH_AS(Injector(net, torch::ones({1, 4})), doctest::Contains("dummy inference failed"),
                       UserError);
}

TEST_CASE("code around the network may use tensors as it likes") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  const at::Tensor y = injector.run(parse_fault("output:add[0,0,0] zero"), [&] {
    const at::Tensor normalised = (x - 0.5) / 2 + x;
    return torch::softmax(net(normalised).flatten() + 1, 0);
  });
  const at::Tensor golden = net((x - 0.5) / 2 + x).flatten();
  golden[0] = 0;
  CHECK(y.equal(torch::softmax(golden + 1, 0)));
}

}  // namespace
