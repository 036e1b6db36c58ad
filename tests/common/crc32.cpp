// SPDX-License-Identifier: Apache-2.0
#include "src/common/crc32.h"

#include <string>

#include <boost/crc.hpp>
#include <doctest/doctest.h>

using faultwave::crc32;

TEST_CASE("the check sum is CRC-32, at any length and place, whole or in pieces") {
  CHECK(crc32("123456789", 9) == 0xCBF43926);  // the check value that catalogues of CRCs give
  CHECK(crc32("", 0) == 0);
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += static_cast<char>(37 * i + 11);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t bytes = 0; bytes <= 40; ++bytes) {
      boost::crc_32_type expected;
      expected.process_bytes(text.data() + begin, bytes);
      CHECK(crc32(text.data() + begin, bytes) == expected.checksum());
      CHECK(crc32(text.data() + begin + bytes / 3, bytes - bytes / 3,
                  crc32(text.data() + begin, bytes / 3)) == expected.checksum());
    }
  }
}
