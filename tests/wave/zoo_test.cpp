// SPDX-License-Identifier: Apache-2.0
// The paper's networks, at a quarter of their resolution.
#include "zoo/zoo.h"

#include "tests/wave/agreement.h"

namespace faultwave::test {
namespace {

template <typename Net>
void agree(Net net, int64_t size) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(4);
  const at::Tensor batch = torch::randn({1, 3, size, size});
  auto forward = [net](const at::Tensor& x) mutable { return std::vector<at::Tensor>{net->forward(x)}; };
  Engines engines(std::make_shared<ModuleNetwork>(net.ptr(), forward), batch);
  check_agreement(engines, drawn_trials(engines, 60, 24));
}

TEST_CASE("AlexNet") {
  torch::manual_seed(1);
  agree(zoo::AlexNet(20), 96);
}

TEST_CASE("ResNet-18") {
  torch::manual_seed(1);
  agree(zoo::ResNet18(20), 64);
}

TEST_CASE("MobileNetV2") {
  torch::manual_seed(1);
  agree(zoo::MobileNetV2(20), 64);
}

}  // namespace
}  // namespace faultwave::test
