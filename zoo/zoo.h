// SPDX-License-Identifier: Apache-2.0
// Well-known image classifiers as C++ modules, for tests, benches and examples.
// Parameters and buffers have the names and shapes of torchvision's state dictionaries, so that those can be
// loaded. All take FP32 images [N, 3, H, W], 224 x 224 by custom, and return scores [N, classes].
#pragma once

#include <torch/torch.h>

#include <string>

namespace faultwave::zoo {

/// Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997: five
/// convolutions, three linear layers. H and W at least 63.
class AlexNetImpl : public torch::nn::Module {
 public:
  explicit AlexNetImpl(int64_t classes = 1000);
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::nn::Sequential features_;
  torch::nn::AdaptiveAvgPool2d pool_;
  torch::nn::Sequential classifier_;
};
TORCH_MODULE(AlexNet);

/// He et al., "Deep residual learning for image recognition", CVPR 2016: eight basic blocks in four stages.
class ResNet18Impl : public torch::nn::Module {
 public:
  explicit ResNet18Impl(int64_t classes = 1000);
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d norm1_;
  torch::nn::MaxPool2d pool_;
  torch::nn::Sequential stages_[4];
  torch::nn::Linear scores_;
};
TORCH_MODULE(ResNet18);

/// Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018, width 1.
class MobileNetV2Impl : public torch::nn::Module {
 public:
  explicit MobileNetV2Impl(int64_t classes = 1000);
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::nn::Sequential features_;
  torch::nn::Sequential classifier_;
};
TORCH_MODULE(MobileNetV2);

/// Fills a module's parameters and buffers by name from a `.safetensors` file, or from what
/// `torch.save(dict(model.state_dict()), path)` writes; without `dict` it is an OrderedDict with an
/// attribute, which libtorch cannot read. Entries that the module does not have are ignored. Throws
/// UserError(bad_input) if the file cannot be read, lacks a name, or has another shape under it; the module
/// is then as before.
void load_state_dict(torch::nn::Module& module, const std::string& path);

}  // namespace faultwave::zoo
