// SPDX-License-Identifier: Apache-2.0
#include "zoo/zoo.h"

namespace faultwave::zoo {
namespace nn = torch::nn;

namespace {

nn::Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding));
}

nn::ReLU relu() {
  return nn::ReLU(nn::ReLUOptions(/*inplace=*/true));
}

nn::MaxPool2d halve() {
  return nn::MaxPool2d(nn::MaxPool2dOptions(3).stride(2));
}

}  // namespace

AlexNetImpl::AlexNetImpl(int64_t classes)
    : features_(conv(3, 64, 11, 4, 2), relu(), halve(),   //
                conv(64, 192, 5, 1, 2), relu(), halve(),  //
                conv(192, 384, 3, 1, 1), relu(),          //
                conv(384, 256, 3, 1, 1), relu(),          //
                conv(256, 256, 3, 1, 1), relu(), halve()),
      pool_(nn::AdaptiveAvgPool2dOptions({6, 6})),
      classifier_(nn::Dropout(0.5), nn::Linear(256 * 6 * 6, 4096), relu(),  //
                  nn::Dropout(0.5), nn::Linear(4096, 4096), relu(),         //
                  nn::Linear(4096, classes)) {
  register_module("features", features_);
  register_module("avgpool", pool_);
  register_module("classifier", classifier_);
}

torch::Tensor AlexNetImpl::forward(const torch::Tensor& images) {
  torch::Tensor maps = pool_->forward(features_->forward(images));
  return classifier_->forward(maps.flatten(1));
}

}  // namespace faultwave::zoo
