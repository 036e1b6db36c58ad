// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <typeindex>
#include <vector>

namespace faultwave::wave {

/// While it lives, what this thread computes from golden tensors is remembered, so that a call that is
/// followed part by part computes it once. Golden tensors must not be written to meanwhile.
class GoldenMemo {
 public:
  GoldenMemo();
  ~GoldenMemo();
  GoldenMemo(const GoldenMemo&) = delete;
  GoldenMemo& operator=(const GoldenMemo&) = delete;

  /// `compute()`, a T, or what it gave for this tensor and axis before. Types tell apart what is remembered.
  template <typename T, typename Compute>
  static std::shared_ptr<const T> remember(const at::Tensor& golden, int64_t axis, Compute&& compute) {
    GoldenMemo* const memo = of_this_thread();
    if (memo == nullptr) return std::make_shared<const T>(compute());
    const std::type_index type = typeid(T);
    for (const Known& known : memo->known_) {
      if (known.axis == axis && known.type == type && known.golden.is_same(golden))
        return std::static_pointer_cast<const T>(known.what);
    }
    auto what = std::make_shared<const T>(compute());
    memo->known_.push_back({golden, axis, type, what});
    return what;
  }

 private:
  struct Known {
    at::Tensor golden;
    int64_t axis;
    std::type_index type;
    std::shared_ptr<const void> what;
  };
  static GoldenMemo* of_this_thread();

  std::vector<Known> known_;
  GoldenMemo* before_;
};

}  // namespace faultwave::wave
