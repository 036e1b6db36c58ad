// SPDX-License-Identifier: Apache-2.0
// Three lines of fault injection around a network, built against the installed library.
#include <torch/torch.h>

#include <iostream>

#include <faultwave/faultwave.h>

int main() {
  torch::nn::Sequential net(torch::nn::Linear(4, 3), torch::nn::ReLU());
  const torch::Tensor example = torch::ones({1, 4});
  const torch::Tensor golden = net->forward(example);

  faultwave::Injector injector(net, example);
  const faultwave::Fault fault = faultwave::parse_fault("output:0[1] constant(1000)");
  const torch::Tensor faulty = injector.run(fault, [&] { return net->forward(example); });

  const bool hit = faulty[0][1].item<float>() == 1000.0f;
  const int64_t differ = faulty.ne(golden).sum().item<int64_t>();
  std::cout << "hit " << hit << ", values that differ " << differ << "\n";
  return hit && differ == 1 && net->forward(example).equal(golden) ? 0 : 1;
}
