// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "src/wave/shadow_map.h"

namespace faultwave::wave {

/// Whether the calls that are seen inside an operator account for all that it does.
///
/// Note: who says where the result of an operator that opens up differs. The calls inside it read tensors
/// that have shadows, and hand shadows on by their rules; the last of them makes the result, and there is
/// nothing to add. That holds as long as nothing is done on the way that is not seen: by a kernel that is
/// called past the dispatcher, which may read a tensor, make one, or write to one. So each tensor that a call
/// inside reads, and each one that is returned, has to be an argument of the operator, or to come from
/// another call inside, with the values that it had then. Where this does not hold, shadows of the result are
/// made by the rules for the operator as a whole, from those of its arguments, and trials with a fault inside
/// leave the wave.
class InnerCalls {
 public:
  /// `arguments` of the operator, which stay as they are.
  explicit InnerCalls(c10::ArrayRef<c10::IValue> arguments);

  /// A call inside is about to read a tensor.
  void read(const at::Tensor& tensor);
  /// A call inside has returned; what it wrote to is among its results.
  void made(c10::ArrayRef<c10::IValue> results);

  /// Whether all is accounted for, results included.
  bool account_for(c10::ArrayRef<c10::IValue> results);

 private:
  struct Known {
    WeakTensor tensor;
    std::optional<uint64_t> print;  // of its values; none where they cannot change
  };
  const Known* find(const at::Tensor& tensor) const;

  std::unordered_map<const c10::TensorImpl*, Known> known_;
  bool accounted_ = true;
};

}  // namespace faultwave::wave
