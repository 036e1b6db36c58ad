// SPDX-License-Identifier: Apache-2.0
#include "src/model/call_tracker.h"

#include <algorithm>

namespace faultwave::detail {

CallTracker::CallTracker(const Profile& profile, Forwards forwards) : profile_(profile) {
  if (forwards == Forwards::one) passed_.resize(profile.calls().size(), false);
}

int CallTracker::stored_number(const at::Tensor& tensor) const {
  if (!stand_ins_.empty()) {
    const auto found = stand_ins_.find(storage_of(tensor));
    if (found != stand_ins_.end()) return found->second;
  }
  return profile_.stored().find(tensor);
}

void CallTracker::add_stand_in(const at::Tensor& tensor, int stored) {
  stand_ins_[storage_of(tensor)] = stored;
}

void CallTracker::remove_stand_in(const at::Tensor& tensor) {
  stand_ins_.erase(storage_of(tensor));
}

void CallTracker::read_signature(c10::ArrayRef<const at::Tensor*> tensors) {
  signature_.clear();
  for (const at::Tensor* tensor : tensors) {
    const int number = stored_number(*tensor);
    if (number != StoredTensors::none) signature_.push_back(number);
  }
}

/// The quick way, without looking tensors up. Only for calls that read something stored.
bool CallTracker::reads_same_memory(const ProfiledCall& call,
                                    c10::ArrayRef<const at::Tensor*> tensors) const {
  size_t found = 0;
  for (const at::Tensor* tensor : tensors) {
    if (found < call.storages.size() && storage_of(*tensor) == call.storages[found]) ++found;
  }
  return found == call.storages.size() && call.has_own_storages;
}

bool CallTracker::is_call(size_t number, const c10::OperatorHandle& op) const {
  const ProfiledCall& call = profile_.calls()[number];
  return is_open(number) && call.op == op &&
         std::equal(call.stored.begin(), call.stored.end(), signature_.begin(), signature_.end());
}

const ProfiledCall* CallTracker::accept(size_t number) {
  if (!passed_.empty()) passed_[number] = true;
  if (forward_ == 0 || (number < expected_ && passed_.empty())) ++forward_;
  expected_ = number + 1;
  const ProfiledCall& call = profile_.calls()[number];
  if (!call.stored.empty()) begin_ways(number);
  return &call;
}

void CallTracker::begin_ways(size_t anchor) {
  const std::vector<Way>& ways = profile_.ways_after(anchor);
  follows_ways_ = !ways.empty();
  open_ways_.clear();
  for (const Way& way : ways)
    open_ways_.push_back(&way);
  way_position_ = 0;
}

const ProfiledCall* CallTracker::follow_ways(const c10::OperatorHandle& op) {
  c10::SmallVector<const Way*, 4> fitting;
  for (const Way* way : open_ways_) {
    if (way_position_ < way->size() && (*way)[way_position_].op == op) fitting.push_back(way);
  }
  if (fitting.empty()) return nullptr;
  const int number = (*fitting.front())[way_position_].number;
  const bool agree = std::all_of(fitting.begin(), fitting.end(),
                                 [&](const Way* way) { return (*way)[way_position_].number == number; });
  open_ways_ = std::move(fitting);
  ++way_position_;
  if (!agree || number < 0 || !is_open(static_cast<size_t>(number))) return nullptr;
  return accept(static_cast<size_t>(number));
}

const ProfiledCall* CallTracker::find_anchor(const c10::OperatorHandle& op) {
  const std::vector<size_t>& calls = profile_.calls_reading(signature_.front());
  // Ahead first; then from the start, which is a new forward.
  const auto ahead = std::lower_bound(calls.begin(), calls.end(), expected_);
  for (auto it = ahead; it != calls.end(); ++it) {
    if (is_call(*it, op)) return accept(*it);
  }
  for (auto it = calls.begin(); it != ahead; ++it) {
    if (is_call(*it, op)) return accept(*it);
  }
  return nullptr;
}

const ProfiledCall* CallTracker::match(const c10::OperatorHandle& op,
                                       c10::ArrayRef<const at::Tensor*> tensors) {
  if (!watched_.empty()) {
    for (size_t number : watched_) {
      const ProfiledCall& call = profile_.calls()[number];
      if (is_open(number) && call.op == op && reads_same_memory(call, tensors)) return accept(number);
    }
    return nullptr;
  }
  if (expected_ < profile_.calls().size() && stand_ins_.empty()) {
    const ProfiledCall& call = profile_.calls()[expected_];
    const bool is_anchor = !call.stored.empty();
    if (is_anchor && is_open(expected_) && call.op == op && reads_same_memory(call, tensors))
      return accept(expected_);
  }
  read_signature(tensors);
  if (signature_.empty() && follows_ways_) return follow_ways(op);
  if (expected_ < profile_.calls().size() && is_call(expected_, op)) return accept(expected_);
  if (!signature_.empty()) return find_anchor(op);
  // The network begins with an operator without stored tensors: a new forward once the last one is complete,
  // where there may be one.
  if (expected_ == profile_.calls().size() && is_call(0, op)) return accept(0);
  return nullptr;
}

const ProfiledCall* CallTracker::match(const intercept::OperatorCall& call) {
  // Tensors in lists live in temporaries while they are visited, so they are kept here.
  c10::SmallVector<at::Tensor, 8> kept;
  for_each_tensor(call.arguments(), [&](TensorPlace, const at::Tensor& tensor) { kept.push_back(tensor); });
  c10::SmallVector<const at::Tensor*, 8> tensors;
  for (const at::Tensor& tensor : kept)
    tensors.push_back(&tensor);
  return match(call.op(), tensors);
}

}  // namespace faultwave::detail
