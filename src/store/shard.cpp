// SPDX-License-Identifier: Apache-2.0
#include "faultwave/shard.h"

#include <charconv>
#include <system_error>

#include "faultwave/error.h"

namespace faultwave {
namespace {

constexpr int64_t kMostShards = 1'000'000;

}  // namespace

std::string to_string(const Shard& shard) {
  return shard.is_whole() ? "" : std::to_string(shard.number) + "/" + std::to_string(shard.of);
}

Shard parse_shard(const std::string& text) {
  Shard shard;
  if (text.empty()) return shard;
  const char* end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, shard.number);
  bool is_right = number.ec == std::errc() && number.ptr != end && *number.ptr == '/';
  if (is_right) {
    const auto of = std::from_chars(number.ptr + 1, end, shard.of);
    is_right = of.ec == std::errc() && of.ptr == end && shard.number >= 1 && shard.number <= shard.of &&
               shard.of <= kMostShards;
  }
  if (!is_right) {
    throw UserError(ErrorCode::usage,
                    "'" + text + "' is no shard: expected I/N with I from 1 to N, such as 2/4");
  }
  return shard;
}

}  // namespace faultwave
