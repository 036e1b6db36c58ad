// SPDX-License-Identifier: Apache-2.0
#include "src/direct/gradient_hooks.h"

#include "src/intercept/intercept.h"

namespace faultwave::detail {

void GradientHooks::add(const at::Tensor& tensor, FaultPlan& plan, int64_t forward) {
  tensor.register_hook([state = state_, &plan, forward](const at::Tensor& gradient) -> at::Tensor {
    const std::lock_guard lock(state->mutex);
    if (!state->is_armed || !gradient.defined()) return gradient;
    const intercept::Unseen unseen;
    return plan.hit_copy(gradient, forward);  // the gradient may be another reader's, too
  });
}

void GradientHooks::end() {
  const std::lock_guard lock(state_->mutex);
  state_->is_armed = false;
}

}  // namespace faultwave::detail
