// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <map>
#include <sstream>

#include <doctest/doctest.h>

#include "zoo/zoo.h"

namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Names and shapes as list_state_dicts.py wrote them.
Shapes torchvision_shapes(const std::string& network) {
  std::ifstream file(std::string(FAULTWAVE_ZOO_TESTS) + "/" + network + ".txt");
  REQUIRE(file.good());
  Shapes shapes;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    std::vector<int64_t>& shape = shapes[name];
    for (int64_t size; words >> size;)
      shape.push_back(size);
  }
  return shapes;
}

Shapes own_shapes(const torch::nn::Module& network) {
  Shapes shapes;
  for (const auto& tensor : network.named_parameters())
    shapes[tensor.key()] = tensor->sizes().vec();
  for (const auto& tensor : network.named_buffers())
    shapes[tensor.key()] = tensor->sizes().vec();
  return shapes;
}

/// Takes the statistics of one batch over into all batch norms: an untrained MobileNetV2 would otherwise
/// shrink what it sees from layer to layer until nothing is left. The network is in eval mode afterwards.
void adopt_statistics(torch::nn::Module& network, const std::function<void()>& forward) {
  for (const auto& module : network.modules(/*include_self=*/false)) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->options.momentum(1.0);
  }
  network.train();
  forward();
  network.eval();
}

template <typename Net>
void check_names_and_scores(Net net, const std::string& name) {
  CHECK(own_shapes(*net) == torchvision_shapes(name));
  torch::NoGradGuard no_grad;
  const torch::Tensor images = torch::randn({2, 3, 64, 64});
  adopt_statistics(*net, [&] { net->forward(images); });
  const torch::Tensor scores = net->forward(images);
  CHECK(scores.sizes() == torch::IntArrayRef({2, 1000}));
  CHECK(scores.isfinite().all().item<bool>());
  CHECK_FALSE(scores[0].allclose(scores[1]));
}

}  // namespace

TEST_CASE("AlexNet has torchvision's names and shapes") {
  torch::manual_seed(1);
  check_names_and_scores(faultwave::zoo::AlexNet(), "alexnet");
}

TEST_CASE("ResNet-18 has torchvision's names and shapes") {
  torch::manual_seed(1);
  check_names_and_scores(faultwave::zoo::ResNet18(), "resnet18");
}

TEST_CASE("MobileNetV2 has torchvision's names and shapes") {
  torch::manual_seed(1);
  check_names_and_scores(faultwave::zoo::MobileNetV2(), "mobilenet_v2");
}

TEST_CASE("the number of classes can be chosen") {
  torch::NoGradGuard no_grad;
  faultwave::zoo::ResNet18 net(7);
  net->eval();
  CHECK(net->forward(torch::zeros({1, 3, 32, 32})).sizes() == torch::IntArrayRef({1, 7}));
}

TEST_CASE("a network can be trained") {
  torch::manual_seed(1);
  faultwave::zoo::ResNet18 net(3);
  net->train();
  const torch::Tensor scores = net->forward(torch::randn({2, 3, 32, 32}));
  torch::nn::functional::cross_entropy(scores, torch::tensor({0, 2})).backward();
  for (const auto& parameter : net->named_parameters()) {
    INFO(parameter.key());
    REQUIRE(parameter->grad().defined());
    CHECK(parameter->grad().ne(0).any().template item<bool>());
  }
}
