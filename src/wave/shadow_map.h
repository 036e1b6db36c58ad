// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorImpl.h>
#include <c10/core/UndefinedTensorImpl.h>

#include <functional>
#include <unordered_map>
#include <vector>

#include "src/wave/shadow_parts.h"

namespace faultwave::wave {

using WeakTensor = c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;

/// Shadows by the tensor that they lie beside, gone when the tensor is. Knows which tensors view the same
/// memory, so that a write through one of them does not leave another with a shadow of old values.
class ShadowMap {
 public:
  /// Null for a tensor in which no trial differs.
  const ShadowParts* find(const at::Tensor& tensor) const;
  /// An empty shadow takes the tensor out.
  void put(const at::Tensor& tensor, ShadowParts shadow);
  /// Changes every shadow.
  void update(const std::function<void(ShadowParts&)>& change);

  /// Notes that two tensors share their memory.
  void note_views(const at::Tensor& a, const at::Tensor& b);
  /// Whether a living tensor other than this one is known to share its memory.
  bool has_other_views(const at::Tensor& tensor) const;
  /// Shadows of other tensors that share its memory.
  std::vector<const ShadowParts*> of_other_views(const at::Tensor& tensor) const;

  /// Forgets what belongs to tensors that are no more.
  void sweep();
  int64_t bytes() const;

 private:
  struct Entry {
    WeakTensor tensor;
    ShadowParts shadow;
  };
  std::unordered_map<const c10::TensorImpl*, Entry> entries_;
  std::unordered_map<const void*, std::vector<WeakTensor>> views_;  // by memory
};

}  // namespace faultwave::wave
