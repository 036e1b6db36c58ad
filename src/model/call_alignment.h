// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "src/model/recorder.h"

namespace faultwave::detail {

/// Finds out which calls of another forward are those of the profile, where some came in addition and some
/// stayed away. Calls that read stored tensors are known already; the others are told by operator and by
/// where their arguments come from.
///
/// Two calls are the same if they have the same operator, and each tensor argument comes from the same calls.
/// Calls that only one of the forwards has are looked through: the keys that a decode step joins to those of
/// a cache still come from the projection of the keys.
class CallAlignment {
 public:
  /// No profiled call.
  static constexpr int none = -1;

  /// Both must outlive this. Calls of `other` are those of one forward from `first` on; what they read of
  /// calls before that comes from outside.
  CallAlignment(const std::vector<RecordedCall>& profile, const std::vector<RecordedCall>& other,
                size_t first);

  /// Call `other` is call `profile`.
  void set(size_t other, int profile);

  /// Finds the calls between two that are known, which read nothing stored. To be called in order. Returns
  /// the profile's number, or none, of each of the calls `other_begin` to `other_end` - 1.
  std::vector<int> align(size_t profile_begin, size_t profile_end, size_t other_begin, size_t other_end);

 private:
  /// Calls that both forwards have, and which of their results.
  using Origins = std::set<std::pair<int, int>>;
  bool is_same(const RecordedCall& profile, const RecordedCall& other) const;
  bool comes_from_same(const RecordedTensor& profile, const RecordedTensor& other) const;
  void add_profile_origins(const RecordedTensor& tensor, Origins& origins, std::set<int>& seen) const;
  void add_other_origins(const RecordedTensor& tensor, Origins& origins, std::set<int>& seen) const;

  const std::vector<RecordedCall>& profile_;
  const std::vector<RecordedCall>& other_;
  size_t first_;
  std::vector<int> number_of_;   // by call of `other`
  std::vector<bool> is_common_;  // by call of the profile
};

}  // namespace faultwave::detail
