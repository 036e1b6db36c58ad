// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>

#pragma GCC visibility push(default)
namespace faultwave {

/// Asked now and then during long work, from the thread that does it; true ends the work in order. Empty:
/// never.
using CancelCheck = std::function<bool()>;

/// Whether the flag is set. It must outlive the work.
inline CancelCheck when(const std::atomic<bool>& flag) {
  return [&flag] { return flag.load(); };
}

}  // namespace faultwave
#pragma GCC visibility pop
