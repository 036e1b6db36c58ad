// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "src/intercept/intercept.h"
#include "src/model/call_tracker.h"
#include "src/model/profile.h"

namespace faultwave::detail {

/// Hands on the values of some output sites while a network runs once, and changes nothing.
class Observer : public intercept::Handler {
 public:
  /// `numbers`: of the sites in the profile. `visit` gets the position in `numbers`.
  Observer(const Profile& profile, const std::vector<int>& numbers,
           const std::function<void(size_t, const at::Tensor&)>& visit);

  void on_call(intercept::OperatorCall& call) override;

 private:
  CallTracker tracker_;
  std::vector<int> wanted_;  // for each site of the profile: position among those to visit, or -1
  const std::function<void(size_t, const at::Tensor&)>& visit_;
};

}  // namespace faultwave::detail
