// SPDX-License-Identifier: Apache-2.0
#include "src/cli/progress_line.h"

#include <cmath>
#include <cstdio>
#include <iostream>

#include <unistd.h>

#include "faultwave/interval.h"

#include "src/common/numbers.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

constexpr std::chrono::milliseconds kTerminalPause{200};
constexpr std::chrono::seconds kLogPause{15};

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  char buffer[48];
  if (whole >= 3600) {
    std::snprintf(buffer, sizeof buffer, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(buffer, sizeof buffer, "%lld:%02lld", whole / 60, whole % 60);
  }
  return buffer;
}

}  // namespace

ProgressLine::ProgressLine(bool quiet, std::string criterion, double confidence)
    : quiet_(quiet),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
      criterion_(std::move(criterion)),
      confidence_(confidence),
      next_(Clock::now() + (is_terminal_ ? Clock::duration::zero() : Clock::duration(kLogPause))) {}

ProgressLine::~ProgressLine() {
  if (has_line_) std::cerr << std::endl;
}

void ProgressLine::show(const Progress& progress) {
  const bool is_last = progress.done == progress.total;
  const Clock::time_point now = Clock::now();
  if (quiet_ || (now < next_ && !is_last)) return;
  next_ = now + (is_terminal_ ? Clock::duration(kTerminalPause) : Clock::duration(kLogPause));
  const std::string text = progress_text(progress, criterion_, confidence_);
  if (is_terminal_) {
    std::cerr << "\r" << text << "\x1b[K" << std::flush;
    has_line_ = true;
  } else {
    std::cerr << text << std::endl;
  }
}

std::string progress_text(const Progress& progress, const std::string& criterion, double confidence) {
  const double seconds = progress.elapsed.count();
  const double speed = seconds > 0 ? static_cast<double>(progress.done - progress.done_before) / seconds : 0;
  const std::string speed_text = format_fixed(speed, 1) + "/s";

  // Where results end the campaign, its last trial is so far away that it means nothing.
  const bool may_stop = progress.half_width > 0;
  const std::string total = may_stop ? "" : " of " + grouped(progress.total);
  std::string text = grouped(progress.done) + total + " trials  " + speed_text;
  const Interval rate =
      progress.rate.value_or(clopper_pearson(progress.tally.fired.at(0), progress.tally.trials, confidence));
  text += "  " + criterion + " " + percent(rate);
  if (may_stop) {
    return text + "  until +-" + format_digits(100 * progress.half_width, 3) + " %";
  }
  const int64_t left = progress.total - progress.done;
  if (left > 0 && speed > 0) text += "  " + duration_text(static_cast<double>(left) / speed) + " left";
  if (left == 0) text += "  in " + duration_text(seconds);
  return text;
}

}  // namespace faultwave::cli
