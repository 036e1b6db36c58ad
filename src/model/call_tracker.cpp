// SPDX-License-Identifier: Apache-2.0
#include "src/model/call_tracker.h"

#include <algorithm>

namespace faultwave::detail {

CallTracker::CallTracker(const Profile& profile) : profile_(profile) {
  for (size_t i = 0; i < profile.calls().size(); ++i) {
    const ProfiledCall& call = profile.calls()[i];
    if (!call.stored.empty()) anchors_[call.stored.front()].push_back(i);
  }
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

void CallTracker::read_signature(const intercept::OperatorCall& call) {
  signature_.clear();
  for_each_tensor(call.arguments(), [&](TensorPlace, const at::Tensor& tensor) {
    const int number = stored_number(tensor);
    if (number != StoredTensors::none) signature_.push_back(number);
  });
}

bool CallTracker::is_call(size_t number, const c10::OperatorHandle& op) const {
  const ProfiledCall& call = profile_.calls()[number];
  return call.op == op &&
         std::equal(call.stored.begin(), call.stored.end(), signature_.begin(), signature_.end());
}

const ProfiledCall* CallTracker::accept(size_t number) {
  if (forward_ == 0 || number < expected_) ++forward_;
  expected_ = number + 1;
  return &profile_.calls()[number];
}

const ProfiledCall* CallTracker::find_anchor(const c10::OperatorHandle& op) {
  const auto found = anchors_.find(signature_.front());
  if (found == anchors_.end()) return nullptr;
  const std::vector<size_t>& calls = found->second;
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

const ProfiledCall* CallTracker::match(const intercept::OperatorCall& call) {
  read_signature(call);
  if (expected_ < profile_.calls().size() && is_call(expected_, call.op())) return accept(expected_);
  if (!signature_.empty()) return find_anchor(call.op());
  // The network begins with an operator without stored tensors: a new forward once the last one is complete.
  if (expected_ == profile_.calls().size() && is_call(0, call.op())) return accept(0);
  return nullptr;
}

}  // namespace faultwave::detail
