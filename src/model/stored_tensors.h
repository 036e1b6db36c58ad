// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "faultwave/network.h"

namespace faultwave::detail {

/// The tensors that a network stores: parameters and buffers, each found again from the tensor itself or any
/// view of it (`weight.t()`), since they share a storage. A tensor with several names goes by the first.
class StoredTensors {
 public:
  struct Entry {
    std::string name;
    at::Tensor tensor;
    bool is_parameter = true;
    std::vector<std::string> other_names = {};
  };
  static constexpr int none = -1;

  StoredTensors(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& buffers);

  /// The number of the stored tensor that `tensor` is, or is a view of; `none` if it is neither.
  int find(const at::Tensor& tensor) const;

  /// Whether another stored tensor lies in the same memory.
  bool shares_storage(int number) const;

  const Entry& operator[](int number) const { return entries_[static_cast<size_t>(number)]; }
  int size() const { return static_cast<int>(entries_.size()); }

 private:
  void add(const NamedTensor& named, bool is_parameter);

  std::vector<Entry> entries_;
  std::unordered_map<const void*, std::vector<int>> by_storage_;
};

/// Identity of a tensor's memory; null for tensors without (sparse, undefined).
const void* storage_of(const at::Tensor& tensor);

}  // namespace faultwave::detail
