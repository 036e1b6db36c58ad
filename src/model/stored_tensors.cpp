// SPDX-License-Identifier: Apache-2.0
#include "src/model/stored_tensors.h"

#include <cstdint>

namespace faultwave::detail {
namespace {

bool lies_within(const at::Tensor& part, const at::Tensor& whole) {
  const auto begin = reinterpret_cast<uintptr_t>(whole.const_data_ptr());
  const auto at = reinterpret_cast<uintptr_t>(part.const_data_ptr());
  return at >= begin && at < begin + whole.nbytes();
}

}  // namespace

const void* storage_of(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.unsafeGetTensorImpl()->has_storage()) return nullptr;
  return tensor.unsafeGetTensorImpl()->unsafe_storage().unsafeGetStorageImpl();
}

StoredTensors::StoredTensors(const std::vector<NamedTensor>& parameters,
                             const std::vector<NamedTensor>& buffers) {
  for (const NamedTensor& named : parameters)
    add(named, true);
  for (const NamedTensor& named : buffers)
    add(named, false);
}

void StoredTensors::add(const NamedTensor& named, bool is_parameter) {
  const void* storage = storage_of(named.tensor);
  if (storage == nullptr || named.tensor.numel() == 0) return;
  std::vector<int>& sharers = by_storage_[storage];
  for (int other : sharers) {
    if (!entries_[other].tensor.is_same(named.tensor)) continue;
    entries_[other].other_names.push_back(named.name);
    return;
  }
  sharers.push_back(size());
  entries_.push_back({named.name, named.tensor, is_parameter});
}

bool StoredTensors::shares_storage(int number) const {
  return by_storage_.at(storage_of((*this)[number].tensor)).size() > 1;
}

int StoredTensors::find(const at::Tensor& tensor) const {
  const auto found = by_storage_.find(storage_of(tensor));
  if (found == by_storage_.end()) return none;
  const std::vector<int>& sharers = found->second;
  if (sharers.size() == 1) return sharers.front();
  // Several in one storage: recurrent layers on a GPU flatten all their weights into one.
  for (int number : sharers) {
    if (lies_within(tensor, entries_[number].tensor)) return number;
  }
  return none;
}

}  // namespace faultwave::detail
