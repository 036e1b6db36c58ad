// SPDX-License-Identifier: Apache-2.0
#include "src/cli/engine_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "src/common/numbers.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

std::string share_text(double part, double whole) {
  return format_fixed(whole > 0 ? 100 * part / whole : 0.0, 1) + " %";
}

std::string left_text(const WaveReport& report) {
  int64_t all = 0;
  std::string reasons;
  for (const auto& [reason, trials] : report.left) {
    all += trials;
    reasons += "            " + grouped(trials) + ": " + reason + "\n";
  }
  return "Direct      " + grouped(all) + " trials left the wave for the direct engine\n" + reasons;
}

std::string generic_text(const WaveReport& report) {
  double all = 0;
  for (const auto& [op, seconds] : report.seconds)
    all += seconds;
  std::vector<std::pair<double, std::string>> lines;
  for (const auto& [op, calls] : report.generic) {
    const auto found = report.seconds.find(op);
    const double seconds = found == report.seconds.end() ? 0 : found->second;
    lines.emplace_back(seconds, "            " + op + ": " + grouped(calls) + " calls, " +
                                    share_text(seconds, all) + " of the time beside golden forwards\n");
  }
  std::sort(lines.rbegin(), lines.rend());
  std::string text = "No rule     operators that were run once a trial\n";
  for (const auto& [seconds, line] : lines)
    text += line;
  return text;
}

}  // namespace

std::string engine_text(const WaveReport& report) {
  std::string text;
  if (!report.left.empty()) text += left_text(report);
  if (!report.generic.empty()) text += generic_text(report);
  return text;
}

}  // namespace faultwave::cli
