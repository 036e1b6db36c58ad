// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "faultwave/campaign.h"

#include "bindings.h"
#include "python_call.h"

namespace faultwave::python {

/// Tells a Python function (progress) how far a campaign is, at most ten times a second. None: nobody.
class Reporter {
 public:
  /// The GIL must be held.
  explicit Reporter(const py::object& function) {
    if (!function.is_none()) function_ = Kept{function};
  }

  void operator()(const Progress& progress) {
    if (!function_ || Clock::now() - last_ < kBetween) return;
    last_ = Clock::now();
    call_python([&] { function_->get()(progress); });
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kBetween{100};
  std::optional<Kept> function_;
  Clock::time_point last_{};
};

}  // namespace faultwave::python
