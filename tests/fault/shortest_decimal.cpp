// SPDX-License-Identifier: Apache-2.0
#include "src/fault/shortest_decimal.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "src/common/numbers.h"
#include "src/fault/bits.h"

namespace faultwave {
namespace {

std::string shortest_text(double value, at::ScalarType dtype) {
  return format_number(shortest_decimal(value, dtype));
}

}  // namespace

TEST_CASE("values of short types print as short as they can") {
  CHECK(shortest_text(0.1f, at::kFloat) == "0.1");
  CHECK(shortest_text(-1.0f / 3, at::kFloat) == "-0.33333334");
  CHECK(shortest_text(std::numeric_limits<float>::max(), at::kFloat) == "3.4028235e+38");
  CHECK(shortest_text(std::numeric_limits<float>::denorm_min(), at::kFloat) == "1e-45");
  CHECK(shortest_text(0.0999755859375, at::kHalf) == "0.1");
  CHECK(shortest_text(0.10009765625, at::kBFloat16) == "0.1");
  CHECK(shortest_text(0.1015625, at::kFloat8_e4m3fn) == "0.1");
  CHECK(shortest_text(std::ldexp(1.0, -24), at::kHalf) == "6e-08");
}

TEST_CASE("of equally short texts the nearest is chosen") {
  CHECK(shortest_text(16777216, at::kFloat) == "16777216");
  CHECK(shortest_text(65504, at::kHalf) == "65504");
  CHECK(shortest_text(448, at::kFloat8_e4m3fn) == "448");
  CHECK(shortest_text(100, at::kHalf) == "100");
  CHECK(shortest_text(0.5, at::kBFloat16) == "0.5");
}

TEST_CASE("what has no shorter text stays") {
  CHECK(shortest_text(0.1f, at::kDouble) == "0.10000000149011612");
  CHECK(shortest_text(12345678, at::kInt) == "12345678");
  CHECK(shortest_text(3, at::kQUInt8) == "3");
  CHECK(shortest_text(1, at::kBool) == "1");
  CHECK(shortest_text(-0.0, at::kFloat) == "-0");
  CHECK(shortest_text(-0.0, at::kHalf) == "-0");
  for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
    CHECK(shortest_text(-INFINITY, dtype) == "-inf");
    CHECK(shortest_text(NAN, dtype) == "nan");
  }
}

TEST_CASE("every value of the small types reads back") {
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16, at::kFloat8_e4m3fn, at::kFloat8_e5m2,
                                     at::kFloat8_e4m3fnuz, at::kFloat8_e5m2fnuz}) {
    int64_t differing = 0;
    for (uint64_t bits = 0; bits <= word_mask(dtype); ++bits) {
      const double value = to_double(bits, dtype);
      if (std::isnan(value)) continue;
      const double read = *parse_number(shortest_text(value, dtype));
      differing += from_double(read, dtype) == bits ? 0 : 1;
    }
    INFO(c10::toString(dtype));
    CHECK(differing == 0);
  }
}

}  // namespace faultwave
