// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "faultwave/network.h"

#include "src/model/batch_axes.h"

namespace faultwave::detail {

/// Which numbers of inputs a network takes at once. An export says that (a range, a multiple, one number);
/// where nothing is known every number will do.
class BatchSizes {
 public:
  /// `inputs`: a batch of any size.
  BatchSizes(const Network& network, const std::vector<c10::IValue>& inputs, const BatchAxes& axes);

  bool fits(int64_t batch) const;
  /// The smallest from `batch` on that fits; empty if none does, as far as kMost beyond.
  std::optional<int64_t> at_least(int64_t batch) const;
  /// The largest up to `batch` that fits; empty if none does.
  std::optional<int64_t> at_most(int64_t batch) const;

 private:
  static constexpr int64_t kMost = 1024;
  const Network& network_;
  const std::vector<c10::IValue>& inputs_;
  const BatchAxes& axes_;
};

/// The inputs as they are where the network takes them so; else, for a batch of one, repeated as often as the
/// network takes, if there is such a number. `batch_axes` as in BatchAxes.
std::vector<c10::IValue> fitting(const Network& network, const std::vector<c10::IValue>& inputs,
                                 const std::vector<int64_t>& batch_axes = {});

}  // namespace faultwave::detail
