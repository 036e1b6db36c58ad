// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorImpl.h>
#include <c10/core/UndefinedTensorImpl.h>

#include <cstdint>
#include <functional>
#include <set>
#include <unordered_map>
#include <vector>

#include "src/wave/shadow_parts.h"

namespace faultwave::wave {

using WeakTensor = c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;

/// Shadows by the tensor that they lie beside, gone when the tensor is. Knows which tensors view the same
/// memory: a write through one of them makes what is known of another stale, which matters once that one is
/// read.
class ShadowMap {
 public:
  /// Null for a tensor in which no trial differs.
  const ShadowParts* find(const at::Tensor& tensor) const;
  /// An empty shadow takes the tensor out. Nothing is stale any more.
  void put(const at::Tensor& tensor, ShadowParts shadow);
  /// Changes every shadow.
  void update(const std::function<void(ShadowParts&)>& change);

  /// Notes that two tensors share their memory.
  void note_views(const at::Tensor& a, const at::Tensor& b);
  /// A tensor was written to, and these trials differ in what was read or written. What is known of them, and
  /// of those that differ in it, is stale for other living tensors in the same memory, until put() is called.
  void note_write(const at::Tensor& tensor, const std::set<int32_t>& trials);
  /// Trials of which the shadow of a tensor may not tell; null for none.
  const std::set<int32_t>* stale(const at::Tensor& tensor);

  /// Forgets what belongs to tensors that are no more.
  void sweep();
  int64_t bytes() const;

 private:
  struct Entry {
    WeakTensor tensor;
    ShadowParts shadow;
  };
  struct View {
    WeakTensor tensor;
    std::set<int32_t> stale;
  };
  View* find_view(const at::Tensor& tensor);

  std::unordered_map<const c10::TensorImpl*, Entry> entries_;
  std::unordered_map<const void*, std::vector<View>> views_;  // by memory
};

}  // namespace faultwave::wave
