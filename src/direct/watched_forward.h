// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "faultwave/engine.h"

namespace faultwave {

/// Tells a watch, if there is one, that a forward is under way for as long as it lives.
class WatchedForward {
 public:
  WatchedForward(ForwardWatch* watch, const std::vector<uint64_t>& trials, double golden_seconds)
      : watch_(watch) {
    if (watch_ != nullptr) watch_->begin(trials, golden_seconds);
  }
  ~WatchedForward() {
    if (watch_ != nullptr) watch_->end();
  }
  WatchedForward(const WatchedForward&) = delete;
  WatchedForward& operator=(const WatchedForward&) = delete;

 private:
  ForwardWatch* watch_;
};

}  // namespace faultwave
