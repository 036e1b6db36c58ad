// SPDX-License-Identifier: Apache-2.0
#include "src/model/kept_tensors.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "src/model/stored_tensors.h"

namespace faultwave::detail {
namespace {

bool is_dense(const at::Tensor& tensor) {
  return tensor.layout() == at::kStrided && tensor.unsafeGetTensorImpl()->has_storage();
}

int64_t version_of(const at::Tensor& tensor) {
  return tensor.is_inference() ? -1 : tensor._version();
}

/// Memory of a device as bytes that share it.
at::Tensor bytes_of(const c10::Storage& storage, size_t size) {
  const auto options = at::TensorOptions().dtype(at::kByte).device(storage.device());
  return at::from_blob(storage.unsafeGetStorageImpl()->mutable_data(), {static_cast<int64_t>(size)}, options);
}

bool lies_as_before(const c10::TensorImpl& now, const c10::TensorImpl& before) {
  return now.unsafe_storage().is_alias_of(before.unsafe_storage()) && now.sizes() == before.sizes() &&
         now.strides() == before.strides() && now.storage_offset() == before.storage_offset() &&
         now.dtype() == before.dtype();
}

}  // namespace

void KeptTensors::add(const at::Tensor& tensor) {
  if (!tensor.defined()) return;
  torch::NoGradGuard no_grad;
  const auto is_this = [&](const auto& kept) { return kept.tensor.is_same(tensor); };
  if (std::any_of(tensors_.begin(), tensors_.end(), is_this)) return;
  if (std::any_of(opaque_.begin(), opaque_.end(), is_this)) return;
  if (!is_dense(tensor)) {
    opaque_.push_back({tensor, tensor.clone(), version_of(tensor)});
    return;
  }
  tensors_.push_back({tensor, tensor.unsafeGetTensorImpl()->shallow_copy_and_detach(
                                  c10::VariableVersion(0), /*allow_tensor_metadata_change=*/true)});
  add_memory(tensor);
}

void KeptTensors::add_memory(const at::Tensor& tensor) {
  const c10::Storage storage = tensor.storage();
  const bool is_known = std::any_of(memory_.begin(), memory_.end(), [&](const Memory& memory) {
    return memory.storage.is_alias_of(storage);
  });
  if (is_known || storage.nbytes() == 0 || storage.data() == nullptr) return;
  Memory memory{storage, storage.nbytes(), {}, {}};
  if (storage.device().is_cpu()) {
    const char* bytes = static_cast<const char*>(storage.data());
    memory.bytes.assign(bytes, bytes + memory.size);
  } else {
    memory.device_bytes = bytes_of(storage, memory.size).clone();
  }
  memory_.push_back(std::move(memory));
}

bool KeptTensors::keeps(const at::Tensor& tensor) const {
  const auto is_this = [&](const Opaque& kept) { return kept.tensor.is_same(tensor); };
  if (std::any_of(opaque_.begin(), opaque_.end(), is_this)) return true;
  const void* storage = storage_of(tensor);
  return storage != nullptr && std::any_of(memory_.begin(), memory_.end(), [&](const Memory& memory) {
           return memory.storage.unsafeGetStorageImpl() == storage;
         });
}

bool KeptTensors::is_current() const {
  const auto lies = [](const Kept& kept) {
    return lies_as_before(*kept.tensor.unsafeGetTensorImpl(), *kept.as_it_was);
  };
  const auto holds = [](const Memory& memory) {
    return memory.storage.device().is_cpu() && memory.storage.nbytes() == memory.size &&
           std::memcmp(memory.storage.data(), memory.bytes.data(), memory.size) == 0;
  };
  return opaque_.empty() && std::all_of(tensors_.begin(), tensors_.end(), lies) &&
         std::all_of(memory_.begin(), memory_.end(), holds);
}

void KeptTensors::put_back() {
  torch::NoGradGuard no_grad;
  for (Kept& kept : tensors_)
    put_back(kept);
  for (const Memory& memory : memory_)
    put_back(memory);
  for (Opaque& opaque : opaque_)
    put_back(opaque);
}

void KeptTensors::put_back(const Memory& memory) {
  c10::StorageImpl& storage = *memory.storage.unsafeGetStorageImpl();
  if (storage.nbytes() < memory.size) {
    // A network that shrinks the memory itself is rare, and then new memory is as good.
    storage.set_data_ptr_noswap(c10::GetAllocator(storage.device_type())->allocate(memory.size));
    storage.set_nbytes(memory.size);
  }
  if (!memory.storage.device().is_cpu()) {
    bytes_of(memory.storage, memory.size).copy_(memory.device_bytes);
    return;
  }
  if (std::memcmp(storage.data(), memory.bytes.data(), memory.size) == 0) return;
  std::memcpy(storage.mutable_data(), memory.bytes.data(), memory.size);
}

void KeptTensors::put_back(Kept& kept) {
  c10::TensorImpl& now = *kept.tensor.unsafeGetTensorImpl();
  if (!lies_as_before(now, *kept.as_it_was)) now.shallow_copy_from(kept.as_it_was);
}

void KeptTensors::put_back(Opaque& opaque) {
  if (opaque.version >= 0 && version_of(opaque.tensor) == opaque.version) return;
  opaque.tensor.unsafeGetTensorImpl()->shallow_copy_from(opaque.copy.clone().getIntrusivePtr());
  opaque.version = version_of(opaque.tensor);
}

TensorState::TensorState(const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors)
    tensors_.add(tensor);
}

std::shared_ptr<KeptState> ReusedState::keep() {
  const std::lock_guard lock(mutex_);
  if (last_ == nullptr || !last_->is_current()) last_ = std::make_shared<TensorState>(tensors_);
  return last_;
}

}  // namespace faultwave::detail

namespace faultwave {

std::shared_ptr<KeptState> Network::keep_state() const {
  std::vector<at::Tensor> tensors;
  for (const NamedTensor& buffer : buffers())
    tensors.push_back(buffer.tensor);
  return std::make_shared<detail::TensorState>(tensors);
}

bool Network::takes(const std::vector<std::vector<int64_t>>&) const {
  return true;
}

}  // namespace faultwave
