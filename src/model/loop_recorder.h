// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "src/intercept/intercept.h"
#include "src/model/call_tracker.h"
#include "src/model/profile.h"
#include "src/model/recorder.h"

namespace faultwave::detail {

/// Writes down the operator calls of a loop around forwards of a profiled network, and which of them are
/// calls of the profile.
class LoopRecorder : public intercept::Handler {
 public:
  explicit LoopRecorder(const Profile& profile);

  void on_call(intercept::OperatorCall& call) override;

  /// Finds, forward by forward, the calls of the profile among those that read nothing stored. Once, when the
  /// loop has ended.
  void align(const std::vector<RecordedCall>& profile);

  /// By the profile's call behind which they came (one that reads stored tensors, as does the one that they
  /// end at): the orders in which calls that read nothing stored came.
  const std::map<size_t, std::vector<Way>>& ways() const { return ways_; }

  /// Calls `visit(profiled, recorded, forward)` for each call of the profile that came, `forward` counted
  /// from 1.
  template <typename Visit>
  void for_each_match(Visit&& visit) const {
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (seen_[i].number != none) visit(static_cast<size_t>(seen_[i].number), calls_[i], seen_[i].forward);
    }
  }

 private:
  static constexpr int none = -1;
  struct Seen {
    int number = none;
    int64_t forward = 0;
    bool is_anchor = false;  // reads stored tensors, so that the number is certain
  };
  void align_between(const std::vector<RecordedCall>& profile, size_t from, size_t to,
                     class CallAlignment& alignment);

  const Profile& profile_;
  CallTracker tracker_;
  Recorder recorder_;
  std::vector<RecordedCall> calls_;
  std::vector<Seen> seen_;  // by call
  std::map<size_t, std::vector<Way>> ways_;
};

}  // namespace faultwave::detail
