// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace faultwave {

/// What a number may be that a user writes in a specification or on a command line.
struct NumberRange {
  enum class Ends : uint8_t { both, not_least, not_most, none };  ///< those that belong to it

  std::string_view key;  ///< of the specification ("batch", "half_width"), or an option ("--threads")
  double least = 0;
  double most = 0;
  Ends ends = Ends::both;

  bool holds(int64_t value) const { return holds(static_cast<double>(value)); }
  bool holds(double value) const;  ///< no NaN

  /// "from 1 to 65536", "above 0 and below 1".
  std::string text() const;
  /// "must be from 1 to 65536, and is 0".
  std::string refusal(const std::string& value) const;
};

/// All of them: the one place where they are stated. docs/campaigns.md has the same table, and a test that
/// compares the two. Keys that exist as an option too (--audit, --resize) have one row.
const std::vector<NumberRange>& number_ranges();

/// The row of a key. Throws InternalError if there is none.
const NumberRange& number_range(std::string_view key);

/// Throws UserError(usage), "batch must be from 1 to 65536, and is 0". `shown` stands for the key in the
/// message.
void check_number(std::string_view key, int64_t value, std::string_view shown = {});
void check_number(std::string_view key, double value, std::string_view shown = {});

}  // namespace faultwave
