// SPDX-License-Identifier: Apache-2.0
#include "zoo/initialise.h"
#include "zoo/zoo.h"

namespace faultwave::zoo {
namespace nn = torch::nn;

namespace {

nn::Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// Two 3 x 3 convolutions beside a short cut, which is a 1 x 1 convolution where the shape changes.
class BasicBlockImpl : public nn::Module {
 public:
  BasicBlockImpl(int64_t in, int64_t out, int64_t stride)
      : conv1_(register_module("conv1", conv(in, out, 3, stride))),
        norm1_(register_module("bn1", nn::BatchNorm2d(out))),
        conv2_(register_module("conv2", conv(out, out, 3, 1))),
        norm2_(register_module("bn2", nn::BatchNorm2d(out))) {
    if (stride == 1 && in == out) return;
    shortcut_ = register_module("downsample", nn::Sequential(conv(in, out, 1, stride), nn::BatchNorm2d(out)));
  }

  torch::Tensor forward(const torch::Tensor& maps) {
    torch::Tensor inner = norm1_->forward(conv1_->forward(maps)).relu_();
    inner = norm2_->forward(conv2_->forward(inner));
    torch::Tensor outer = shortcut_.is_empty() ? maps : shortcut_->forward(maps);
    return torch::relu_(inner.add_(outer));
  }

 private:
  nn::Conv2d conv1_;
  nn::BatchNorm2d norm1_;
  nn::Conv2d conv2_;
  nn::BatchNorm2d norm2_;
  nn::Sequential shortcut_ = nullptr;
};
TORCH_MODULE(BasicBlock);

nn::Sequential stage(int64_t in, int64_t out, int64_t stride) {
  return nn::Sequential(BasicBlock(in, out, stride), BasicBlock(out, out, 1));
}

}  // namespace

ResNet18Impl::ResNet18Impl(int64_t classes)
    : conv1_(register_module("conv1", conv(3, 64, 7, 2))),
      norm1_(register_module("bn1", nn::BatchNorm2d(64))),
      pool_(nn::MaxPool2dOptions(3).stride(2).padding(1)),
      stages_{stage(64, 64, 1), stage(64, 128, 2), stage(128, 256, 2), stage(256, 512, 2)},
      scores_(nullptr) {
  register_module("maxpool", pool_);
  for (int number = 0; number < 4; ++number) {
    register_module("layer" + std::to_string(number + 1), stages_[number]);
  }
  scores_ = register_module("fc", nn::Linear(512, classes));
  initialise_convolutions(*this);
}

torch::Tensor ResNet18Impl::forward(const torch::Tensor& images) {
  torch::Tensor maps = norm1_->forward(conv1_->forward(images)).relu_();
  maps = pool_->forward(maps);
  for (nn::Sequential& stage : stages_)
    maps = stage->forward(maps);
  return scores_->forward(torch::adaptive_avg_pool2d(maps, {1, 1}).flatten(1));
}

}  // namespace faultwave::zoo
