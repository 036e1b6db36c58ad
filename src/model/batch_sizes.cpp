// SPDX-License-Identifier: Apache-2.0
#include "src/model/batch_sizes.h"

#include <torch/types.h>

#include <algorithm>

namespace faultwave::detail {
namespace {

bool is_batched(const c10::IValue& input) {
  return input.isTensor() && input.toTensor().dim() > 0;
}

int64_t batch_size_of(const std::vector<c10::IValue>& inputs) {
  for (const c10::IValue& input : inputs) {
    if (is_batched(input)) return input.toTensor().size(0);
  }
  return 1;
}

}  // namespace

BatchSizes::BatchSizes(const Network& network, const std::vector<c10::IValue>& inputs) : network_(network) {
  const int64_t batch = batch_size_of(inputs);
  for (const c10::IValue& input : inputs) {
    shapes_.push_back(input.isTensor() ? input.toTensor().sizes().vec() : std::vector<int64_t>{});
    grows_.push_back(is_batched(input) && input.toTensor().size(0) == batch);
  }
}

bool BatchSizes::fits(int64_t batch) const {
  std::vector<std::vector<int64_t>> shapes = shapes_;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (grows_[i]) shapes[i][0] = batch;
  }
  return network_.takes(shapes);
}

std::optional<int64_t> BatchSizes::at_least(int64_t batch) const {
  for (int64_t size = batch; size <= batch + kMost; ++size) {
    if (fits(size)) return size;
  }
  return std::nullopt;
}

std::optional<int64_t> BatchSizes::at_most(int64_t batch) const {
  for (int64_t size = batch; size >= std::max<int64_t>(1, batch - kMost); --size) {
    if (fits(size)) return size;
  }
  return std::nullopt;
}

std::vector<c10::IValue> repeated(const std::vector<c10::IValue>& inputs, int64_t batch) {
  if (batch == 1) return inputs;
  std::vector<c10::IValue> result;
  for (const c10::IValue& input : inputs) {
    const bool grows = is_batched(input) && input.toTensor().size(0) == 1;
    result.push_back(grows ? c10::IValue(input.toTensor().repeat_interleave(batch, 0)) : input);
  }
  return result;
}

std::vector<c10::IValue> fitting(const Network& network, const std::vector<c10::IValue>& inputs) {
  const BatchSizes sizes(network, inputs);
  const int64_t batch = batch_size_of(inputs);
  if (batch != 1 || sizes.fits(batch)) return inputs;
  const std::optional<int64_t> fit = sizes.at_least(batch);
  return fit ? repeated(inputs, *fit) : inputs;
}

}  // namespace faultwave::detail
