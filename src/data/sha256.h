// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace faultwave {

/// SHA-256 (FIPS 180-4) of bytes that come in pieces. Here it tells files and inputs apart; OpenSSL would be
/// a large dependency for that.
class Sha256 {
 public:
  using Digest = std::array<uint8_t, 32>;

  void add(const void* data, size_t bytes);
  void add(std::string_view text) { add(text.data(), text.size()); }
  /// The digest of all that was added. Nothing may be added afterwards.
  Digest finish();

 private:
  static constexpr size_t block_bytes = 64;

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, block_bytes> pending_;  // bytes of a block that is not full yet
  size_t pending_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

/// 64 lower-case hexadecimal digits.
std::string to_hex(const Sha256::Digest& digest);

}  // namespace faultwave
