// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "faultwave/campaign.h"

namespace faultwave::cli {

/// Shows on standard error how a campaign goes: trials/s, the rate of the first criterion with its interval,
/// time left. On a terminal one line that is rewritten, elsewhere a line now and then.
class ProgressLine {
 public:
  /// `criterion` is the column whose rate is shown.
  ProgressLine(bool quiet, std::string criterion, double confidence);
  /// Ends the line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Progress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  bool quiet_;
  bool is_terminal_;
  std::string criterion_;
  double confidence_;
  bool has_line_ = false;
  Clock::time_point next_;
};

/// "1,024 of 2,000 trials  35.2/s  top1 4.20 % [3.12, 5.51]  0:28 left".
std::string progress_text(const Progress& progress, const std::string& criterion, double confidence);

}  // namespace faultwave::cli
