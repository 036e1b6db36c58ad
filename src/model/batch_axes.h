// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <vector>

namespace faultwave::detail {

/// Along which axis each input of a network counts the elements of a batch.
class BatchAxes {
 public:
  static constexpr int64_t none = -1;

  /// `axes`: one for each input of `example`, `none` for an input that is the same for the whole batch.
  /// Empty: axis 0 of each tensor whose size there is that of the first one with axes. Throws
  /// UserError(usage) for axes that the inputs have not, or along which their sizes differ.
  BatchAxes(const std::vector<c10::IValue>& example, const std::vector<int64_t>& axes);

  /// Whether any input has a batch.
  bool grow() const;
  int64_t of(size_t input) const { return axes_.at(input); }

  /// How many elements a batch has; 1 where no input has one.
  int64_t batch_of(const std::vector<c10::IValue>& inputs) const;
  /// The inputs, each element of the batch repeated `times` times, beside itself.
  std::vector<c10::IValue> repeated(const std::vector<c10::IValue>& inputs, int64_t times) const;
  /// The batch, and the same batch behind it.
  std::vector<c10::IValue> doubled(const std::vector<c10::IValue>& inputs) const;
  /// Shapes of the inputs if the batch had `batch` elements; [] for what is no tensor.
  std::vector<std::vector<int64_t>> shapes(const std::vector<c10::IValue>& inputs, int64_t batch) const;

 private:
  std::vector<int64_t> axes_;
};

}  // namespace faultwave::detail
