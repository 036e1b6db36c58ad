// SPDX-License-Identifier: Apache-2.0
#include "src/common/number_ranges.h"

#include <charconv>
#include <cmath>

#include "faultwave/error.h"

namespace faultwave {
namespace {

using Ends = NumberRange::Ends;

/// Whole numbers digit by digit, others as short as they can be.
std::string number_text(double value) {
  constexpr double kWhole = 0x1p63;
  if (value == kWhole) return std::to_string(INT64_MAX);
  if (std::abs(value) < kWhole && value == std::floor(value))
    return std::to_string(static_cast<int64_t>(value));
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

template <typename Number>
void check(std::string_view key, Number value, const std::string& text, std::string_view shown) {
  const NumberRange& range = number_range(key);
  if (range.holds(value)) return;
  throw UserError(ErrorCode::usage, std::string(shown.empty() ? key : shown) + " " + range.refusal(text));
}

}  // namespace

// Most of the upper ends are where a number stops to make sense: more trials than a machine runs in a year,
// faults and blocks that no memory holds, an image larger than any network takes.
const std::vector<NumberRange>& number_ranges() {
  static const std::vector<NumberRange> ranges = {
      {"seed", 0, 0x1p63},
      {"random_key", 0, 0x1p63},
      {"trials", 1, 1e9},
      {"batch", 1, 65536},
      {"block", 1, 1048576},
      {"round", 1, 1e9},
      {"audit", 0, 1},
      {"confidence", 0, 1, Ends::none},
      {"per_trial", 1, 65536},
      {"calibrate", 1, 10000},
      {"half_width", 1e-9, 0.5, Ends::not_most},
      {"timeout", 0, 86400, Ends::not_least},
      {"minutes", 0, 1e7, Ends::not_least},
      {"resize", 1, 16384},
      {"crop", 1, 16384},
      {"mean", -1e6, 1e6},
      {"std", 1e-6, 1e6},
      {"--threads", 1, 4096},
      {"--workers", 1, 1024},
      {"--memory", 1, 16777216},
      {"--shape", 1, 1e9},
      {"--faults", 1, 4096},
      {"--rate", 0, 1, Ends::none},
      {"--seconds", 0, 3600},
      {"--fit-per-mbit", 0, 1e15},
  };
  return ranges;
}

const NumberRange& number_range(std::string_view key) {
  for (const NumberRange& range : number_ranges()) {
    if (range.key == key) return range;
  }
  throw InternalError("the number " + std::string(key) + " has no range");
}

bool NumberRange::holds(double value) const {
  const bool with_least = ends == Ends::both || ends == Ends::not_most;
  const bool with_most = ends == Ends::both || ends == Ends::not_least;
  return (with_least ? value >= least : value > least) && (with_most ? value <= most : value < most);
}

std::string NumberRange::text() const {
  const bool with_least = ends == Ends::both || ends == Ends::not_most;
  const std::string low = (with_least ? "from " : "above ") + number_text(least);
  const bool with_most = ends == Ends::both || ends == Ends::not_least;
  if (!with_most) return low + (with_least ? " to below " : " and below ") + number_text(most);
  return low + (with_least ? " to " : " and at most ") + number_text(most);
}

std::string NumberRange::refusal(const std::string& value) const {
  return "must be " + text() + ", and is " + value;
}

void check_number(std::string_view key, int64_t value, std::string_view shown) {
  check(key, value, std::to_string(value), shown);
}

void check_number(std::string_view key, double value, std::string_view shown) {
  check(key, value, number_text(value), shown);
}

}  // namespace faultwave
