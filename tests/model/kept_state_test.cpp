// SPDX-License-Identifier: Apache-2.0
// What a forward changes, and that it can be put back.
#include <torch/script.h>
#include <torch/torch.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "src/model/kept_tensors.h"
#include "src/model/torchscript_network.h"
#include "src/model/written_attributes.h"
#include "tests/model/recorded_calls.h"

namespace faultwave {
namespace {

using torch::jit::Module;

Module module_with(const std::string& forward) {
  Module module("Net");
  module.register_attribute("training", c10::BoolType::get(), true);
  module.register_buffer("h", torch::zeros({2}));
  module.register_parameter("w", torch::ones({2}), false);
  module.register_attribute("n", c10::IntType::get(), 3);
  module.register_attribute("seen", c10::ListType::ofTensors(), c10::List<at::Tensor>());
  c10::Dict<std::string, at::Tensor> dict;
  dict.insert("a", torch::zeros({2}));
  module.register_attribute("d", c10::DictType::create(c10::StringType::get(), c10::TensorType::get()), dict);
  module.define("def forward(self, x):\n" + forward);
  module.eval();
  return module;
}

at::Tensor run(Network& network, const at::Tensor& x) {
  return network.forward({x}).at(0).clone();
}

/// Two forwards differ; with the state put back between they do not, and the second begins as the first did.
void check_put_back(const std::string& forward) {
  CAPTURE(forward);
  torch::NoGradGuard no_grad;
  const at::Tensor x = torch::tensor({1.f, 2.f});
  detail::TorchScriptNetwork network(module_with(forward));
  const auto state = network.keep_state();
  CHECK_FALSE(state->is_empty());
  const at::Tensor first = run(network, x);
  CHECK_FALSE(run(network, x).equal(first));
  state->put_back();
  CHECK(run(network, x).equal(first));
  run(network, 1000 * x);
  state->put_back();
  CHECK(run(network, x).equal(first));
}

TEST_CASE("buffers, attributes, numbers, lists and dictionaries of TorchScript are put back") {
  check_put_back("    self.h.add_(x)\n    return self.h + x\n");
  check_put_back("    self.h = self.h + x\n    return self.h + x\n");
  check_put_back("    self.h[0] = self.h[0] + x[1]\n    return self.h + x\n");
  check_put_back("    y = self.h.view([2, 1])\n    y.mul_(0.5).add_(1)\n    return self.h + x\n");
  check_put_back("    self.h.detach().add_(x)\n    return self.h + x\n");
  check_put_back("    self.w.mul_(2)\n    return self.w * x\n");
  check_put_back("    self.n = self.n + 1\n    return x * self.n\n");
  check_put_back("    self.seen.append(x)\n    return x * len(self.seen)\n");
  check_put_back("    self.d['a'] = self.d['a'] + x\n    return self.d['a'] + x\n");
  check_put_back("    self.d['a'].add_(x)\n    return self.d['a'] + x\n");
  check_put_back("    self.d[str(len(self.d))] = x\n    return x * len(self.d)\n");
  check_put_back("    for i in range(3):\n        self.h.add_(i + 1)\n    return self.h + x\n");
}

TEST_CASE("what only a branch writes that was not taken before is put back too") {
  torch::NoGradGuard no_grad;
  detail::TorchScriptNetwork network(
      module_with("    if bool(x.max() > 100):\n        self.w.add_(1)\n        self.n = 7\n"
                  "    return self.w * x * self.n\n"));
  const auto state = network.keep_state();
  const at::Tensor x = torch::tensor({1.f, 2.f});
  const at::Tensor golden = run(network, x);
  CHECK(golden.equal(torch::tensor({3.f, 6.f})));
  run(network, 1000 * x);
  CHECK(run(network, x).equal(torch::tensor({14.f, 28.f})));
  state->put_back();
  CHECK(run(network, x).equal(golden));
}

TEST_CASE("a network that writes to nothing keeps nothing") {
  const auto written = [](const std::string& forward) {
    return detail::written_attributes(module_with(forward), "forward");
  };
  for (const std::string forward :
       {"    return self.w * x + self.h\n", "    y = x + self.h\n    y.relu_()\n    return y\n",
        "    if self.training:\n        self.h.add_(1)\n    return x + self.h\n",
        "    y = [x, x]\n    y.append(x)\n    return y[0] + self.h\n",
        "    return torch.batch_norm(x.view([1, 2]), None, None, self.h, self.w, self.training, 0.1, 1e-5, "
        "False)\n"}) {
    CAPTURE(forward);
    CHECK_FALSE(written(forward).all);
    CHECK(written(forward).paths.empty());
  }
  CHECK(written("    self.h.add_(1)\n    return x + self.w\n").paths == std::set<std::string>{"h"});
  CHECK(written("    y = x\n    if bool(x.max() > 0):\n        y = self.w\n    y.add_(1)\n    return y\n")
            .paths == std::set<std::string>{"w"});
  CHECK(written("    self.h = self.w\n    self.h.add_(1)\n    return x\n").paths ==
        std::set<std::string>{"h", "w"});
  CHECK(written("    return torch.batch_norm(x.view([1, 2]), None, None, self.h, self.w, True, 0.1, 1e-5, "
                "False)\n")
            .paths == std::set<std::string>{"h", "w"});
}

TEST_CASE("attributes of modules inside modules") {
  torch::NoGradGuard no_grad;
  Module inner = module_with("    self.n = self.n + 1\n    self.h.add_(x)\n    return self.h * self.n\n");
  Module outer("Outer");
  outer.register_module("cell", inner);
  outer.define("def forward(self, x):\n    return self.cell.forward(x) + 1\n");
  detail::TorchScriptNetwork network(outer);
  const auto state = network.keep_state();
  const at::Tensor x = torch::tensor({1.f, 2.f});
  CHECK(run(network, x).equal(torch::tensor({5.f, 9.f})));    // 4 x + 1
  CHECK(run(network, x).equal(torch::tensor({11.f, 21.f})));  // 5 (2 x) + 1
  state->put_back();
  CHECK(run(network, x).equal(torch::tensor({5.f, 9.f})));
}

TEST_CASE("buffers of an exported program are put back, and what it does not write to is not kept") {
  torch::NoGradGuard no_grad;
  for (const std::string name : {"counter", "counter_decomposed"}) {
    const auto network = open_test_network(name + ".pt2");
    const auto state = network->keep_state();
    const auto calls = recorded_calls(name);
    const at::Tensor first = network->forward(calls[0].inputs).at(0).clone();
    CHECK(same_bits(first, calls[0].outputs[0]));
    network->forward(calls[1].inputs);
    state->put_back();
    CHECK(same_bits(network->forward(calls[0].inputs).at(0), first));
  }
  CHECK(open_test_network("residual.pt2")->keep_state()->is_empty());
  CHECK(open_test_network("lstm.pt2")->keep_state()->is_empty());
}

TEST_CASE("tensors of every layout and type get their values, sizes and memory back") {
  torch::NoGradGuard no_grad;
  at::Tensor plain = torch::tensor({1.f, std::numeric_limits<float>::quiet_NaN()});
  at::Tensor half = torch::ones({3}, at::kComplexHalf);
  at::Tensor resized = torch::ones({2, 2});
  at::Tensor sparse = torch::eye(3).to_sparse();
  at::Tensor view = torch::arange(6.f).view({2, 3}).t();
  at::Tensor replaced = torch::ones({2});
  const void* memory = plain.const_data_ptr();
  detail::KeptTensors kept;
  for (const at::Tensor& tensor : {plain, half, resized, sparse, view, replaced})
    kept.add(tensor);
  plain.fill_(5);
  half.fill_(3);
  resized.resize_({100});
  resized.fill_(7);
  sparse.mul_(4);
  view.zero_();
  replaced.set_(torch::zeros({5}).storage());
  kept.put_back();
  CHECK(plain[0].item<float>() == 1);
  CHECK(plain[1].isnan().item<bool>());
  CHECK(plain.const_data_ptr() == memory);
  CHECK(half.to(at::kComplexFloat).equal(torch::ones({3}, at::kComplexFloat)));
  CHECK(resized.equal(torch::ones({2, 2})));
  CHECK(sparse.to_dense().equal(torch::eye(3)));
  CHECK(view.equal(torch::arange(6.f).view({2, 3}).t()));
  CHECK(replaced.equal(torch::ones({2})));
}

TEST_CASE("what was kept serves for the next run as long as nothing has changed") {
  at::Tensor values = torch::tensor({1.f, 2.f});
  at::Tensor sparse = torch::eye(2).to_sparse();
  detail::ReusedState dense({values});
  const std::shared_ptr<KeptState> first = dense.keep();
  values.data().fill_(7);  // leaves no trace in the version
  first->put_back();
  CHECK(values.equal(torch::tensor({1.f, 2.f})));
  CHECK(dense.keep() == first);

  values.fill_(3);  // the user's own change, between two runs
  const std::shared_ptr<KeptState> second = dense.keep();
  CHECK(second != first);
  values.fill_(4);
  second->put_back();
  CHECK(values.equal(torch::tensor({3.f, 3.f})));
  values.resize_({1});
  CHECK(dense.keep() != second);

  detail::ReusedState other({sparse});
  const std::shared_ptr<KeptState> before = other.keep();
  sparse.mul_(2);
  other.keep()->put_back();
  CHECK(sparse.to_dense().equal(torch::eye(2) * 2));
}

}  // namespace
}  // namespace faultwave
