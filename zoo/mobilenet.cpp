// SPDX-License-Identifier: Apache-2.0
#include "zoo/initialise.h"
#include "zoo/zoo.h"

namespace faultwave::zoo {
namespace nn = torch::nn;

namespace {

nn::Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t groups) {
  auto options =
      nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).groups(groups).bias(false);
  return nn::Conv2d(options);
}

/// Convolution, batch norm, ReLU6. A module of its own, since a Sequential cannot hold another.
class ConvNormReluImpl : public nn::Module {
 public:
  ConvNormReluImpl(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t groups)
      : conv_(register_module("0", conv(in, out, kernel, stride, groups))),
        norm_(register_module("1", nn::BatchNorm2d(out))) {}

  torch::Tensor forward(const torch::Tensor& maps) {
    torch::Tensor result = norm_->forward(conv_->forward(maps));
    return torch::relu6_(result);
  }

 private:
  nn::Conv2d conv_;
  nn::BatchNorm2d norm_;
};
TORCH_MODULE(ConvNormRelu);

/// Widen, filter each channel, narrow without an activation; added to its input where the shapes agree.
class InvertedResidualImpl : public nn::Module {
 public:
  InvertedResidualImpl(int64_t in, int64_t out, int64_t stride, int64_t expansion)
      : adds_input_(stride == 1 && in == out) {
    const int64_t wide = in * expansion;
    if (expansion != 1) steps_->push_back(ConvNormRelu(in, wide, 1, 1, 1));
    steps_->push_back(ConvNormRelu(wide, wide, 3, stride, wide));
    steps_->push_back(conv(wide, out, 1, 1, 1));
    steps_->push_back(nn::BatchNorm2d(out));
    register_module("conv", steps_);
  }

  torch::Tensor forward(const torch::Tensor& maps) {
    torch::Tensor narrow = steps_->forward(maps);
    return adds_input_ ? maps + narrow : narrow;
  }

 private:
  bool adds_input_;
  nn::Sequential steps_;
};
TORCH_MODULE(InvertedResidual);

/// A row of Table 2 of the paper.
struct Stage {
  int64_t expansion;
  int64_t channels;
  int64_t blocks;
  int64_t stride;  ///< of the first block; 1 in the others
};

constexpr Stage stages[] = {
    {1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
};
constexpr int64_t first_channels = 32;
constexpr int64_t last_channels = 1280;

}  // namespace

MobileNetV2Impl::MobileNetV2Impl(int64_t classes)
    : classifier_(nn::Dropout(0.2), nn::Linear(last_channels, classes)) {
  features_->push_back(ConvNormRelu(3, first_channels, 3, 2, 1));
  int64_t channels = first_channels;
  for (const Stage& stage : stages) {
    for (int64_t block = 0; block < stage.blocks; ++block) {
      const int64_t stride = block == 0 ? stage.stride : 1;
      features_->push_back(InvertedResidual(channels, stage.channels, stride, stage.expansion));
      channels = stage.channels;
    }
  }
  features_->push_back(ConvNormRelu(channels, last_channels, 1, 1, 1));
  register_module("features", features_);
  register_module("classifier", classifier_);
  initialise_convolutions(*this);
}

torch::Tensor MobileNetV2Impl::forward(const torch::Tensor& images) {
  torch::Tensor maps = features_->forward(images);
  return classifier_->forward(torch::adaptive_avg_pool2d(maps, {1, 1}).flatten(1));
}

}  // namespace faultwave::zoo
