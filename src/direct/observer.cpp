// SPDX-License-Identifier: Apache-2.0
#include "src/direct/observer.h"

namespace faultwave::detail {

Observer::Observer(const Profile& profile, const std::vector<int>& numbers,
                   const std::function<void(size_t, const at::Tensor&)>& visit)
    : tracker_(profile, Forwards::one), wanted_(profile.sites().size(), -1), visit_(visit) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto number = static_cast<size_t>(numbers[i]);
    if (number < wanted_.size()) wanted_[number] = static_cast<int>(i);  // no forward has gradients
  }
}

void Observer::on_call(intercept::OperatorCall& call) {
  const ProfiledCall* profiled = tracker_.match(call);
  call.run();
  if (profiled == nullptr) return;
  for (const SiteUse& use : profiled->outputs) {
    const int position = wanted_[static_cast<size_t>(use.site)];
    if (position < 0) continue;
    const at::Tensor values = tensor_at(call.results(), use.place);
    if (values.defined()) visit_(static_cast<size_t>(position), values);
  }
}

}  // namespace faultwave::detail
