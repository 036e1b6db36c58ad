// SPDX-License-Identifier: Apache-2.0
#include "src/wave/shadow_map.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "src/model/stored_tensors.h"

namespace faultwave::wave {
namespace {

/// Whether no value of one lies between the first and the last of the other; both are of one storage.
bool lie_apart(const at::Tensor& a, const at::Tensor& b) {
  const auto range = [](const at::Tensor& tensor) {
    int64_t last = tensor.storage_offset();
    for (int64_t axis = 0; axis < tensor.dim(); ++axis)
      last += (tensor.size(axis) - 1) * tensor.stride(axis);
    const int64_t width = static_cast<int64_t>(tensor.element_size());
    return std::make_pair(tensor.storage_offset() * width, (last + 1) * width);
  };
  if (a.is_nested() || b.is_nested()) return false;
  if (a.numel() == 0 || b.numel() == 0) return true;
  const auto [a_begin, a_end] = range(a);
  const auto [b_begin, b_end] = range(b);
  return a_end <= b_begin || b_end <= a_begin;
}

}  // namespace

const ShadowParts* ShadowMap::find(const at::Tensor& tensor) const {
  const auto found = entries_.find(tensor.unsafeGetTensorImpl());
  return found == entries_.end() ? nullptr : &found->second.shadow;
}

ShadowMap::View* ShadowMap::find_view(const at::Tensor& tensor) {
  const auto found = views_.find(detail::storage_of(tensor));
  if (found == views_.end()) return nullptr;
  for (View& view : found->second) {
    // A tensor that is no more may have had the address of this one.
    if (view.tensor._unsafe_get_target() == tensor.unsafeGetTensorImpl() && !view.tensor.expired())
      return &view;
  }
  return nullptr;
}

void ShadowMap::put(const at::Tensor& tensor, ShadowParts shadow) {
  if (View* view = find_view(tensor)) view->stale.clear();
  const c10::TensorImpl* key = tensor.unsafeGetTensorImpl();
  entries_.erase(key);
  if (is_empty(shadow)) return;
  entries_.emplace(key, Entry{WeakTensor(tensor.getIntrusivePtr()), std::move(shadow)});
}

void ShadowMap::update(const std::function<void(ShadowParts&)>& change) {
  for (auto& [key, entry] : entries_)
    change(entry.shadow);
}

void ShadowMap::note_views(const at::Tensor& a, const at::Tensor& b) {
  for (const at::Tensor* tensor : {&a, &b}) {
    if (find_view(*tensor) == nullptr)
      views_[detail::storage_of(a)].push_back({WeakTensor(tensor->getIntrusivePtr()), {}});
  }
}

void ShadowMap::note_write(const at::Tensor& tensor, const std::set<int32_t>& trials) {
  const auto found = views_.find(detail::storage_of(tensor));
  if (found == views_.end()) return;
  for (View& view : found->second) {
    const at::Tensor other(view.tensor.lock());
    if (!other.defined() || other.is_same(tensor) || lie_apart(other, tensor)) continue;
    view.stale.insert(trials.begin(), trials.end());
    const auto entry = entries_.find(other.unsafeGetTensorImpl());
    if (entry == entries_.end()) continue;
    for (const Shadow& part : entry->second.shadow)
      view.stale.insert(part.trials.begin(), part.trials.end());
  }
}

const std::set<int32_t>* ShadowMap::stale(const at::Tensor& tensor) {
  const View* view = find_view(tensor);
  return view == nullptr || view->stale.empty() ? nullptr : &view->stale;
}

void ShadowMap::sweep() {
  for (auto entry = entries_.begin(); entry != entries_.end();)
    entry = entry->second.tensor.expired() ? entries_.erase(entry) : std::next(entry);
  for (auto views = views_.begin(); views != views_.end();) {
    std::vector<View>& list = views->second;
    list.erase(
        std::remove_if(list.begin(), list.end(), [](const View& view) { return view.tensor.expired(); }),
        list.end());
    views = list.empty() ? views_.erase(views) : std::next(views);
  }
}

int64_t ShadowMap::bytes() const {
  int64_t bytes = 0;
  for (const auto& [key, entry] : entries_)
    bytes += bytes_of(entry.shadow);
  return bytes;
}

}  // namespace faultwave::wave
