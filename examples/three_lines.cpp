#include <torch/torch.h>

#include <iostream>

#include <faultwave/faultwave.h>

int main() {
  torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Conv2d(3, 8, 3), torch::nn::ReLU(), torch::nn::Flatten(),
                            torch::nn::Linear(8 * 6 * 6, 10));
  net->eval();
  const torch::Tensor image = torch::rand({1, 3, 8, 8});

  faultwave::Injector injector(net, image);                              // profiles the network once
  const auto fault = injector.random_neuron(faultwave::BitFlip{30}, 7);  // one bit of one neuron, by key 7
  const torch::Tensor scores = injector.run(fault, [&] { return net->forward(image); });

  std::cout << "fault:  " << to_string(fault) << "\n"
            << "golden: class " << net->forward(image).argmax().item<int>() << "\n"
            << "faulty: class " << scores.argmax().item<int>() << "\n";
}
