// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "faultwave/network.h"

#include "src/model/kept_random.h"

namespace faultwave::detail {

/// What a dummy inference may disturb, kept at construction: training modes, the network's state (buffers,
/// attributes), and the random generators. The network is in eval mode, where it knows one, until the end.
class PreservedState {
 public:
  explicit PreservedState(Network& network);
  /// Puts back all of it. What cannot be put back is left then, since a destructor must not throw; call
  /// put_back() to know.
  ~PreservedState();
  PreservedState(const PreservedState&) = delete;
  PreservedState& operator=(const PreservedState&) = delete;

  /// State and random generators, so that the next forward begins as the first did.
  void put_back();

 private:
  std::shared_ptr<KeptState> state_;
  KeptRandom random_;
  std::function<void()> leave_eval_;
};

}  // namespace faultwave::detail
