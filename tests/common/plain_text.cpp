// SPDX-License-Identifier: Apache-2.0
#include "src/common/plain_text.h"

#include <doctest/doctest.h>

using faultwave::printable;
using faultwave::shortened;

TEST_CASE("printable text stays, and everything else is escaped byte by byte") {
  CHECK(printable("scale(0.5) f\xc3\xbcr \xe2\x82\xac \xf0\x9f\x99\x82 \\x1b") ==
        "scale(0.5) f\xc3\xbcr \xe2\x82\xac \xf0\x9f\x99\x82 \\x1b");
  CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(printable("\x1b[2J\r\n\t\x7f") == "\\x1b[2J\\x0d\\x0a\\x09\\x7f");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");           // a control character of U+0080 to U+009F
  CHECK(printable("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // writes from right to left
  CHECK(printable("\xff\xc3(\xc0\xaf\xed\xa0\x80\xe2\x82") ==
        "\\xff\\xc3(\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x82");
}

TEST_CASE("a long text loses its middle, between characters") {
  CHECK(shortened("short", 20) == "short");
  CHECK(shortened(std::string(12, 'a') + std::string(12, 'b'), 20) == "aaaaaa [...] bbbbbbb");
  const std::string long_text = shortened(std::string(3000, '\n'), 100);
  CHECK(long_text.size() <= 100);
  const std::string accents = [] {
    std::string text;
    for (int i = 0; i < 100; ++i)
      text += "\xc3\xbc";
    return text;
  }();
  for (size_t most = 20; most < 40; ++most)
    CHECK(printable(shortened(accents, most)) == shortened(accents, most));
}
