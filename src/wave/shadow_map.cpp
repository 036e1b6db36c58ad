// SPDX-License-Identifier: Apache-2.0
#include "src/wave/shadow_map.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "src/model/stored_tensors.h"

namespace faultwave::wave {

const ShadowParts* ShadowMap::find(const at::Tensor& tensor) const {
  const auto found = entries_.find(tensor.unsafeGetTensorImpl());
  return found == entries_.end() ? nullptr : &found->second.shadow;
}

void ShadowMap::put(const at::Tensor& tensor, ShadowParts shadow) {
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
  std::vector<WeakTensor>& views = views_[detail::storage_of(a)];
  for (const at::Tensor* tensor : {&a, &b}) {
    const bool is_known = std::any_of(views.begin(), views.end(), [&](const WeakTensor& view) {
      return view._unsafe_get_target() == tensor->unsafeGetTensorImpl();
    });
    if (!is_known) views.emplace_back(tensor->getIntrusivePtr());
  }
}

bool ShadowMap::has_other_views(const at::Tensor& tensor) const {
  const auto found = views_.find(detail::storage_of(tensor));
  if (found == views_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const WeakTensor& view) {
    return !view.expired() && view._unsafe_get_target() != tensor.unsafeGetTensorImpl();
  });
}

std::vector<const ShadowParts*> ShadowMap::of_other_views(const at::Tensor& tensor) const {
  std::vector<const ShadowParts*> shadows;
  const auto found = views_.find(detail::storage_of(tensor));
  if (found == views_.end()) return shadows;
  for (const WeakTensor& view : found->second) {
    const auto entry = entries_.find(view._unsafe_get_target());
    const bool is_other =
        entry != entries_.end() && !view.expired() && entry->first != tensor.unsafeGetTensorImpl();
    if (is_other) shadows.push_back(&entry->second.shadow);
  }
  return shadows;
}

void ShadowMap::sweep() {
  for (auto entry = entries_.begin(); entry != entries_.end();)
    entry = entry->second.tensor.expired() ? entries_.erase(entry) : std::next(entry);
  for (auto views = views_.begin(); views != views_.end();) {
    std::vector<WeakTensor>& list = views->second;
    list.erase(
        std::remove_if(list.begin(), list.end(), [](const WeakTensor& view) { return view.expired(); }),
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
