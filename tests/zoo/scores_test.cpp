// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "zoo/zoo.h"

namespace {

constexpr int64_t kShownStep = 125;  // the recorded scores are those of classes 0, 125, 250, ...

/// Values in [0, 1) that look random, as pattern in record_scores.py makes them.
torch::Tensor pattern(at::IntArrayRef shape, int64_t number) {
  torch::Tensor values = torch::empty(shape, torch::kDouble);
  auto* value = values.mutable_data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    const auto position = static_cast<uint64_t>(i + 1000003 * number);
    const auto hash = static_cast<uint32_t>(position * 2654435761u);
    value[i] = (hash >> 16) / 65536.0;
  }
  return values;
}

/// As value_of in record_scores.py.
torch::Tensor value_of(const std::string& name, at::IntArrayRef shape, int64_t number) {
  const torch::Tensor u = pattern(shape, number);
  if (name.ends_with("num_batches_tracked")) return torch::zeros(shape, torch::kLong);
  const bool is_vector = shape.size() == 1;
  if (name.ends_with("running_var") || (is_vector && name.ends_with("weight")))
    return (0.5 + u).to(torch::kFloat);
  if (is_vector) return (0.2 * u - 0.1).to(torch::kFloat);
  const auto inputs = static_cast<double>(u.numel() / shape[0]);
  return ((2 * u - 1) * std::sqrt(6.0 / inputs)).to(torch::kFloat);
}

void fill(torch::nn::Module& network) {
  std::map<std::string, torch::Tensor> by_name;
  for (const auto& tensor : network.named_parameters())
    by_name[tensor.key()] = *tensor;
  for (const auto& tensor : network.named_buffers())
    by_name[tensor.key()] = *tensor;
  int64_t number = 0;
  for (auto& [name, tensor] : by_name)
    tensor.copy_(value_of(name, tensor.sizes(), ++number));
}

/// The scores that torchvision's network of that name gave for the image.
std::vector<float> torchvision_scores(const std::string& network, int64_t image) {
  std::ifstream file(std::string(FAULTWAVE_ZOO_TESTS) + "/torchvision_scores.txt");
  std::string name;
  int64_t number = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    words >> name >> number;
    if (name != network || number != image) continue;
    std::vector<float> scores;
    for (float score = 0; words >> score;)
      scores.push_back(score);
    return scores;
  }
  FAIL("torchvision_scores.txt lacks ", network);
  return {};
}

template <typename Net>
void check_scores(Net net, const std::string& name) {
  torch::NoGradGuard no_grad;
  fill(*net);
  net->eval();
  const torch::Tensor images = (4 * pattern({2, 3, 64, 64}, 0) - 2).to(torch::kFloat);
  const torch::Tensor scores = net->forward(images).slice(1, 0, {}, kShownStep);
  for (int64_t image = 0; image < 2; ++image) {
    INFO("image ", image);
    const torch::Tensor expected = torch::tensor(torchvision_scores(name, image));
    REQUIRE(expected.sizes() == scores[image].sizes());
    // Other processors and versions of PyTorch add in another order; a wrong stride, layer or epsilon shows
    // in the first digits.
    CHECK(scores[image].allclose(expected, /*rtol=*/0, /*atol=*/1e-4 * expected.abs().max().item<double>()));
  }
}

}  // namespace

TEST_CASE("AlexNet has torchvision's scores") {
  check_scores(faultwave::zoo::AlexNet(), "alexnet");
}

TEST_CASE("ResNet-18 has torchvision's scores") {
  check_scores(faultwave::zoo::ResNet18(), "resnet18");
}

TEST_CASE("MobileNetV2 has torchvision's scores") {
  check_scores(faultwave::zoo::MobileNetV2(), "mobilenet_v2");
}
