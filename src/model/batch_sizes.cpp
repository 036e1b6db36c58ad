// SPDX-License-Identifier: Apache-2.0
#include "src/model/batch_sizes.h"

#include <algorithm>

namespace faultwave::detail {

BatchSizes::BatchSizes(const Network& network, const std::vector<c10::IValue>& inputs, const BatchAxes& axes)
    : network_(network), inputs_(inputs), axes_(axes) {}

bool BatchSizes::fits(int64_t batch) const {
  return network_.takes(axes_.shapes(inputs_, batch));
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

std::vector<c10::IValue> fitting(const Network& network, const std::vector<c10::IValue>& inputs,
                                 const std::vector<int64_t>& batch_axes) {
  const BatchAxes axes(inputs, batch_axes);
  const BatchSizes sizes(network, inputs, axes);
  if (!axes.grow() || axes.batch_of(inputs) != 1 || sizes.fits(1)) return inputs;
  const std::optional<int64_t> fit = sizes.at_least(1);
  return fit ? axes.repeated(inputs, *fit) : inputs;
}

}  // namespace faultwave::detail
