// SPDX-License-Identifier: Apache-2.0
#include "src/wave/inner_calls.h"

#include <torch/types.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "src/model/stored_tensors.h"
#include "src/model/tensor_places.h"

namespace faultwave::wave {
namespace {

bool has_plain_memory(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.layout() == at::kStrided && !tensor.is_nested();
}

/// A number that changes with the bytes; several lanes, since one would wait for its multiplications.
uint64_t print_of(const char* bytes, size_t count) {
  constexpr size_t kLanes = 8;
  constexpr uint64_t kFactor = 0x9e3779b97f4a7c15;
  std::array<uint64_t, kLanes> lanes{};
  size_t at = 0;
  for (; at + sizeof(lanes) <= count; at += sizeof(lanes)) {
    std::array<uint64_t, kLanes> words;
    std::memcpy(words.data(), bytes + at, sizeof(words));
    for (size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] = (lanes[lane] ^ words[lane]) * kFactor + (lanes[lane] >> 29);
  }
  uint64_t print = count;
  for (const uint64_t lane : lanes)
    print = (print ^ lane) * kFactor + (print >> 29);
  for (; at < count; ++at)
    print = (print ^ static_cast<unsigned char>(bytes[at])) * kFactor + (print >> 29);
  return print;
}

uint64_t print_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.contiguous();
  return print_of(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
}

}  // namespace

InnerCalls::InnerCalls(c10::ArrayRef<c10::IValue> arguments) {
  detail::for_each_tensor(arguments, [&](detail::TensorPlace, const at::Tensor& tensor) {
    known_.insert_or_assign(tensor.unsafeGetTensorImpl(),
                            Known{WeakTensor(tensor.getIntrusivePtr()), std::nullopt});
  });
}

const InnerCalls::Known* InnerCalls::find(const at::Tensor& tensor) const {
  const auto found = known_.find(tensor.unsafeGetTensorImpl());
  // An address may have been given to another tensor since.
  return found == known_.end() || found->second.tensor.expired() ? nullptr : &found->second;
}

void InnerCalls::read(const at::Tensor& tensor) {
  if (!accounted_ || tensor.unsafeGetTensorImpl()->is_wrapped_number()) return;
  const Known* known = find(tensor);
  accounted_ = known != nullptr && (!known->print || *known->print == print_of(tensor));
}

void InnerCalls::made(c10::ArrayRef<c10::IValue> results) {
  if (!accounted_) return;
  detail::for_each_tensor(results, [&](detail::TensorPlace, const at::Tensor& tensor) {
    const Known* known = find(tensor);
    const bool cannot_change = known != nullptr && !known->print;
    if (cannot_change) return;
    if (!has_plain_memory(tensor)) {
      accounted_ = false;
      return;
    }
    known_.insert_or_assign(tensor.unsafeGetTensorImpl(),
                            Known{WeakTensor(tensor.getIntrusivePtr()), print_of(tensor)});
    // Where it was written to, other views of its memory have new values as well.
    for (auto& [key, other] : known_) {
      const at::Tensor view(other.tensor.lock());
      const bool shares = other.print && view.defined() && key != tensor.unsafeGetTensorImpl() &&
                          detail::storage_of(view) == detail::storage_of(tensor);
      if (shares) other.print = print_of(view);
    }
  });
}

bool InnerCalls::account_for(c10::ArrayRef<c10::IValue> results) {
  detail::for_each_tensor(results, [&](detail::TensorPlace, const at::Tensor& tensor) { read(tensor); });
  return accounted_;
}

}  // namespace faultwave::wave
