// SPDX-License-Identifier: Apache-2.0
// "Slicing by 8": table[k][b] is what byte b does to the sum once k more bytes have gone by (M. E. Kounavis
// and F. L. Berry, Novel table lookup-based algorithms for high-performance CRC generation, IEEE Trans.
// Comput. 57).
#include "src/common/crc32.h"

#include <array>
#include <bit>
#include <cstring>

namespace faultwave {
namespace {

static_assert(std::endian::native == std::endian::little, "eight bytes are read as one number");

using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  constexpr uint32_t reflected_polynomial = 0xEDB88320;
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit)
      sum = sum >> 1 ^ ((sum & 1) != 0 ? reflected_polynomial : 0);
    tables[0][byte] = sum;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xFF];
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

uint32_t crc32(const void* data, size_t bytes, uint32_t before) {
  const auto* at = static_cast<const uint8_t*>(data);
  uint32_t sum = ~before;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, at, sizeof eight);
    eight ^= sum;
    sum = 0;
    for (size_t i = 0; i < 8; ++i)
      sum ^= kTables[7 - i][eight >> (8 * i) & 0xFF];
  }
  for (; bytes > 0; --bytes, ++at)
    sum = sum >> 8 ^ kTables[0][(sum ^ *at) & 0xFF];
  return ~sum;
}

}  // namespace faultwave
