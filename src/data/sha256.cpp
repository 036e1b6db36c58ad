// SPDX-License-Identifier: Apache-2.0
#include "src/data/sha256.h"

#include <algorithm>

#include "src/data/sha256_blocks.h"

namespace faultwave {
namespace {

void store_big_endian(uint64_t value, int bytes, uint8_t* out) {
  for (int i = 0; i < bytes; ++i) {
    out[i] = static_cast<uint8_t>(value >> (8 * (bytes - 1 - i)));
  }
}

}  // namespace

void Sha256::add(const void* data, size_t bytes) {
  const auto* next = static_cast<const uint8_t*>(data);
  total_bytes_ += bytes;
  if (pending_bytes_ > 0) {
    const size_t taken = std::min(bytes, block_bytes - pending_bytes_);
    std::copy_n(next, taken, pending_.begin() + pending_bytes_);
    pending_bytes_ += taken;
    next += taken;
    bytes -= taken;
    if (pending_bytes_ < block_bytes) return;
    sha256::compress(state_, pending_.data(), 1);
    pending_bytes_ = 0;
  }
  const size_t blocks = bytes / block_bytes;
  sha256::compress(state_, next, blocks);
  next += blocks * block_bytes;
  bytes -= blocks * block_bytes;
  std::copy_n(next, bytes, pending_.begin());
  pending_bytes_ = bytes;
}

Sha256::Digest Sha256::finish() {
  const uint64_t total_bits = total_bytes_ * 8;
  // A one bit, zeros, and the length in bits as the last eight bytes of a block.
  std::array<uint8_t, 2 * block_bytes> padding = {0x80};
  const size_t zeros_end = pending_bytes_ < block_bytes - 8 ? block_bytes - 8 : 2 * block_bytes - 8;
  const size_t padding_bytes = zeros_end - pending_bytes_;
  store_big_endian(total_bits, 8, padding.data() + padding_bytes);
  add(padding.data(), padding_bytes + 8);

  Digest digest;
  for (int i = 0; i < 8; ++i) {
    store_big_endian(state_[i], 4, digest.data() + 4 * i);
  }
  return digest;
}

std::string to_hex(const Sha256::Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace faultwave
