// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#pragma GCC visibility push(default)
namespace faultwave {

/// The part of a campaign that one of several machines runs: a range of its blocks. All shards together have
/// each block once, and none has more than one block more than another.
struct Shard {
  int64_t number = 1;  ///< from 1
  int64_t of = 1;      ///< 1: the whole campaign

  bool is_whole() const { return of == 1; }

  /// The shard has the blocks from first_block() to one before end_block(), of `blocks` in all.
  int64_t first_block(int64_t blocks) const { return blocks_before(number - 1, blocks); }
  int64_t end_block(int64_t blocks) const { return blocks_before(number, blocks); }

 private:
  /// blocks * shards / of, rounded down, where the product may be too large.
  int64_t blocks_before(int64_t shards, int64_t blocks) const {
    return blocks / of * shards + blocks % of * shards / of;
  }
};

/// "2/4", or "" for the whole campaign.
std::string to_string(const Shard& shard);

/// The inverse, which takes "1/1" as well. Throws UserError(usage) for anything but two integers with
/// 1 <= I <= N <= 1,000,000.
Shard parse_shard(const std::string& text);

}  // namespace faultwave
#pragma GCC visibility pop
