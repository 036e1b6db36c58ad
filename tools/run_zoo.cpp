// SPDX-License-Identifier: Apache-2.0
// Runs a network of the zoo once: faultwave-run-zoo THREADS NAME STATE.pt INPUT.pt OUT.npy
// NAME is alexnet, resnet18 or mobilenet_v2; STATE.pt is what torch.save(dict(model.state_dict()), path)
// writes.
#include <ATen/Parallel.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "faultwave/error.h"
#include "faultwave/inputs.h"

#include "zoo/zoo.h"

namespace {

template <typename Net>
at::Tensor scores_of(Net net, const std::string& state, const at::Tensor& images) {
  faultwave::zoo::load_state_dict(*net, state);
  net->eval();
  return net->forward(images);
}

at::Tensor run(const std::string& name, const std::string& state, const at::Tensor& images) {
  if (name == "alexnet") return scores_of(faultwave::zoo::AlexNet(), state, images);
  if (name == "resnet18") return scores_of(faultwave::zoo::ResNet18(), state, images);
  if (name == "mobilenet_v2") return scores_of(faultwave::zoo::MobileNetV2(), state, images);
  throw faultwave::UserError(faultwave::ErrorCode::usage,
                             "no network '" + name + "': expected alexnet, resnet18 or mobilenet_v2");
}

}  // namespace

int main(int count, char** values) {
  try {
    const std::vector<std::string> words(values + 1, values + count);
    if (words.size() != 5) {
      throw faultwave::UserError(faultwave::ErrorCode::usage,
                                 "usage: faultwave-run-zoo THREADS NAME STATE.pt INPUT.pt OUT.npy");
    }
    const torch::NoGradGuard no_gradients;
    at::set_num_threads(std::atoi(words[0].c_str()));
    faultwave::save_npy(words[4], run(words[1], words[2], faultwave::load_tensor(words[3])));
  } catch (const faultwave::UserError& error) {
    std::cerr << "faultwave-run-zoo: " << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "faultwave-run-zoo: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
