// SPDX-License-Identifier: Apache-2.0
#include "src/common/numbers.h"

#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "faultwave/random.h"

namespace faultwave {

TEST_CASE("numbers print as short as they can") {
  CHECK(format_number(0.1) == "0.1");
  CHECK(format_number(10000) == "10000");
  CHECK(format_number(1e20) == "1e+20");
  CHECK(format_number(-0.0) == "-0");
  CHECK(format_number(5e-324) == "5e-324");
  CHECK(format_number(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(format_number(-std::numeric_limits<double>::infinity()) == "-inf");
  CHECK(format_number(-std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("every double comes back from its text") {
  Draw draw(6);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t word = draw.bits64();
    const auto value = std::bit_cast<double>(word);
    const std::optional<double> parsed = parse_number(format_number(value));
    REQUIRE(parsed.has_value());
    if (std::isnan(value)) {
      CHECK(std::isnan(*parsed));
    } else {
      CHECK(std::bit_cast<uint64_t>(*parsed) == word);
    }
  }
}

TEST_CASE("numbers are taken in any decimal form, as a whole") {
  CHECK(parse_number("1e4") == 10000.0);
  CHECK(parse_number("10000.0") == 10000.0);
  CHECK(parse_number(".5") == 0.5);
  CHECK(parse_number("-1E-2") == -0.01);
  for (const char* text :
       {"", "1x", "x", "1 ", "infinity", "INF", "-nan", "nan(1)", "0x10", "1e999", "--1", "1,5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text).has_value());
  }
}

TEST_CASE("integers") {
  CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<int64_t>::lowest());
  CHECK(parse_unsigned("18446744073709551615") == std::numeric_limits<uint64_t>::max());
  CHECK_FALSE(parse_integer("9223372036854775808").has_value());
  CHECK_FALSE(parse_unsigned("-1").has_value());
  CHECK_FALSE(parse_unsigned("").has_value());
  CHECK_FALSE(parse_integer("1.0").has_value());
}

}  // namespace faultwave
