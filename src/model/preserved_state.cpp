// SPDX-License-Identifier: Apache-2.0
#include "src/model/preserved_state.h"

#include <exception>
#include <vector>

#include "src/model/kept_tensors.h"

namespace faultwave::detail {

std::shared_ptr<KeptState> keep_state(const Subject& subject) {
  if (subject.keep_state) return subject.keep_state();
  std::vector<at::Tensor> buffers;
  for (const NamedTensor& buffer : subject.buffers)
    buffers.push_back(buffer.tensor);
  return std::make_shared<TensorState>(buffers);
}

PreservedState::PreservedState(const Subject& subject)
    : state_(keep_state(subject)), random_(devices_of(subject.parameters)) {
  if (subject.enter_eval) leave_eval_ = subject.enter_eval();
}

void PreservedState::put_back() {
  state_->put_back();
  random_.put_back();
}

PreservedState::~PreservedState() {
  try {
    put_back();
  } catch (const std::exception&) {  // no memory
  }
  try {
    if (leave_eval_) leave_eval_();
  } catch (const std::exception&) {  // a module's own train()
  }
}

}  // namespace faultwave::detail
