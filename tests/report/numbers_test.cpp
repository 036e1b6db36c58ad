// SPDX-License-Identifier: Apache-2.0
#include "src/report/numbers.h"

#include <limits>

#include <doctest/doctest.h>

namespace faultwave {
namespace {

TEST_CASE("long numbers are grouped") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(-1000) == "-1,000");
  CHECK(grouped(-100) == "-100");
  CHECK(grouped(1234567) == "1,234,567");
}

TEST_CASE("proportions are percentages") {
  CHECK(percent(0.25) == "25.00 %");
  CHECK(percent(Interval{0.042, 0.0312, 0.0551, 0.99}) == "4.20 % [3.12, 5.51]");
}

TEST_CASE("numbers are exact and as short as that allows") {
  CHECK(exact(0.1) == "0.1");
  CHECK(exact(-2) == "-2");
  CHECK(exact(1.0 / 3) == "0.3333333333333333");
  CHECK(exact(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(exact(-std::numeric_limits<double>::infinity()) == "-inf");
  CHECK(exact(-std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("three digits are enough for a reader") {
  CHECK(significant(0) == "0");
  CHECK(significant(0.012345) == "0.0123");
  CHECK(significant(4.5e-7) == "4.5e-07");
  CHECK(significant(12.34) == "12.3");
  CHECK(significant(999.4) == "999");
  CHECK(significant(999.6) == "1,000");
  CHECK(significant(1234.5) == "1,230");
  CHECK(significant(9996) == "10,000");
  CHECK(significant(1234567) == "1,230,000");
  CHECK(significant(-1234.5) == "-1,230");
  CHECK(significant(1e20) == "1e+20");
}

TEST_CASE("bits are padded to the width of the type") {
  CHECK(hexadecimal(0x3f800000, 32) == "0x3f800000");
  CHECK(hexadecimal(1, 16) == "0x0001");
  CHECK(hexadecimal(1, 1) == "0x1");
  CHECK(hexadecimal(std::numeric_limits<uint64_t>::max(), 64) == "0xffffffffffffffff");
}

}  // namespace
}  // namespace faultwave
