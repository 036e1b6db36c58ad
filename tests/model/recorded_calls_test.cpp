// SPDX-License-Identifier: Apache-2.0
#include "tests/model/recorded_calls.h"

#include <string>

#include <doctest/doctest.h>

namespace faultwave {
namespace {

/// Opens the network and makes the calls that Python made, in order.
void check_same_as_python(const std::string& name, const std::string& ending) {
  const at::NoGradGuard no_gradients;
  const auto network = open_test_network(name + ending);
  const auto calls = recorded_calls(name);
  REQUIRE_FALSE(calls.empty());
  for (size_t i = 0; i < calls.size(); ++i) {
    const auto outputs = network->forward(calls[i].inputs);
    REQUIRE_EQ(outputs.size(), calls[i].outputs.size());
    for (size_t k = 0; k < outputs.size(); ++k) {
      INFO(std::string(name), ", call ", i, ", output ", k);
      CHECK(same_bits(outputs[k], calls[i].outputs[k]));
    }
  }
}

TEST_CASE("exported programs give Python's bits") {
  for (const char* name :
       {"residual", "residual_strict", "residual_half", "residual_bfloat16", "containers", "counter",
        "counter_decomposed", "constants", "no_grad", "embedding", "tied", "lstm", "attention", "long_tail",
        "size_arithmetic", "data_dependent", "dynamic_int"}) {
    check_same_as_python(name, ".pt2");
  }
}

TEST_CASE("TorchScript networks give Python's bits") {
  for (const char* name : {"traced", "frozen", "scripted", "quantised"})
    check_same_as_python(name, ".pt");
}

TEST_CASE("a network that writes to its input does so here too") {
  const auto network = open_test_network("input_writer.pt2");
  const at::Tensor x = torch::tensor({1.f, 2.f, 3.f});
  const auto outputs = network->forward({x});
  CHECK(torch::equal(x, torch::tensor({2.f, 3.f, 4.f})));
  CHECK(torch::equal(outputs.at(0), torch::tensor({4.f, 6.f, 8.f})));
}

TEST_CASE("mutated buffers keep their values from call to call") {
  for (const char* file : {"counter.pt2", "counter_decomposed.pt2"}) {
    const auto network = open_test_network(file);
    network->forward({torch::tensor({1.f, 2.f, 3.f})});
    const auto outputs = network->forward({torch::tensor({3.f, 2.f, 1.f})});
    CHECK(torch::equal(outputs.at(0), torch::full({3}, 2.f)));
    CHECK(torch::equal(find_tensor(network->buffers(), "calls"), torch::tensor({2.f})));
    CHECK(torch::equal(find_tensor(network->buffers(), "sum"), torch::full({3}, 4.f)));
  }
}

TEST_CASE("a block without gradients takes them from that block alone") {
  const auto network = open_test_network("no_grad.pt2");
  const at::Tensor x = torch::ones({2, 3}, torch::requires_grad());
  const at::AutoGradMode with_gradients(true);
  CHECK(network->forward({x}).at(0).requires_grad());
  CHECK(at::GradMode::is_enabled());
}

TEST_CASE("one network runs on several threads at once") {
  const auto network = open_test_network("residual.pt2");
  const auto calls = recorded_calls("residual");
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      const at::NoGradGuard no_gradients;
      for (int repeat = 0; repeat < 5; ++repeat) {
        const auto& call = calls[(t + repeat) % calls.size()];
        right[t] += at::allclose(network->forward(call.inputs).at(0), call.outputs.at(0)) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(right == std::vector<int>(4, 5));
}

}  // namespace
}  // namespace faultwave
