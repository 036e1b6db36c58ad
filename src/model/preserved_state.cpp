// SPDX-License-Identifier: Apache-2.0
#include "src/model/preserved_state.h"

#include <exception>

namespace faultwave::detail {

PreservedState::PreservedState(Network& network)
    : state_(network.keep_state()),
      random_(devices_of(network.parameters())),
      leave_eval_(network.enter_eval()) {}

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
