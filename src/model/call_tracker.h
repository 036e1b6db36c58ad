// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/SmallVector.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "src/intercept/intercept.h"
#include "src/model/profile.h"

namespace faultwave::detail {

/// Tells which profiled call an operator call is, forward after forward, in code that may do other things in
/// between (a loss, an optimiser, another network).
///
/// Calls are expected in the order of the profile. One that reads stored tensors is an anchor: it is
/// recognised by operator and tensors wherever it stands, so tracking recovers after calls that were added or
/// left out; going back to an earlier anchor means that a new forward has begun. An operator without stored
/// tensors is recognised only where it is expected next.
///
/// Where Profile::learn has seen other orders, a call without stored tensors is recognised if all orders that
/// fit what came since the last anchor agree on it.
///
/// Where one forward alone is tracked, a call is recognised once. What comes again is a round of a loop that
/// the profile did not have, or an operator of somebody else's.
class CallTracker {
 public:
  explicit CallTracker(const Profile& profile, Forwards forwards = Forwards::any);

  /// The profiled call, or null for one that is none of the network's. `tensors`: all among the arguments, in
  /// order.
  const ProfiledCall* match(const c10::OperatorHandle& op, c10::ArrayRef<const at::Tensor*> tensors);
  const ProfiledCall* match(const intercept::OperatorCall& call);
  /// From now on recognises these calls alone, and looks at nothing but them: much cheaper where a few are
  /// all that matters. Each is the only reader of its first stored tensor (ProfiledCall::is_only_reader).
  void watch_only(std::vector<size_t> calls) { watched_ = std::move(calls); }

  /// Number of the last matched call.
  size_t number() const { return expected_ - 1; }
  /// How many forwards have begun; 0 before the first.
  int64_t forward() const { return forward_; }

  /// Memory that stands for a stored tensor: the corrupted copy handed to the network in its place.
  void add_stand_in(const at::Tensor& tensor, int stored);
  void remove_stand_in(const at::Tensor& tensor);

  /// The stored tensor that `tensor` is, views, or stands in for; StoredTensors::none if none.
  int stored_number(const at::Tensor& tensor) const;

 private:
  using Signature = c10::SmallVector<int, 8>;
  void read_signature(c10::ArrayRef<const at::Tensor*> tensors);
  bool reads_same_memory(const ProfiledCall& call, c10::ArrayRef<const at::Tensor*> tensors) const;
  bool is_call(size_t number, const c10::OperatorHandle& op) const;
  const ProfiledCall* accept(size_t number);
  const ProfiledCall* find_anchor(const c10::OperatorHandle& op);
  void begin_ways(size_t anchor);
  const ProfiledCall* follow_ways(const c10::OperatorHandle& op);

  /// Whether the call may be recognised now.
  bool is_open(size_t number) const { return passed_.empty() || !passed_[number]; }

  const Profile& profile_;
  std::vector<bool> passed_;  // by call, where one forward is tracked; else empty
  size_t expected_ = 0;
  int64_t forward_ = 0;
  Signature signature_;
  bool follows_ways_ = false;                  // several are known behind the last anchor
  c10::SmallVector<const Way*, 4> open_ways_;  // those that fit what came since
  size_t way_position_ = 0;                    // in each of them
  std::vector<size_t> watched_;
  std::unordered_map<const void*, int> stand_ins_;
};

}  // namespace faultwave::detail
