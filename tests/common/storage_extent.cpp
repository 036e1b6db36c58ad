// SPDX-License-Identifier: Apache-2.0
#include "src/common/storage_extent.h"

#include <cstdint>

#include <doctest/doctest.h>

using faultwave::storage_extent;

TEST_CASE("a tensor reaches from its offset to its last element") {
  CHECK(storage_extent({2, 3}, {3, 1}, 0) == 6);
  CHECK(storage_extent({2, 3}, {1, 2}, 4) == 10);  // 4 + 1 + 2 * 2 is the last
  CHECK(storage_extent({5}, {0}, 7) == 8);         // one element, five times
  CHECK(storage_extent({}, {}, 3) == 4);
  CHECK(storage_extent({0, 9}, {9, 1}, 5) == 0);
}

TEST_CASE("what no tensor can be has no extent") {
  CHECK_FALSE(storage_extent({2}, {1, 1}, 0));
  CHECK_FALSE(storage_extent({-1, -1}, {1, 1}, 0));
  CHECK_FALSE(storage_extent({2}, {-1}, 1));
  CHECK_FALSE(storage_extent({2}, {1}, -1));
  CHECK_FALSE(storage_extent({2}, {INT64_MAX}, 0));
  CHECK_FALSE(storage_extent({int64_t{1} << 40, int64_t{1} << 40}, {0, 0}, 0));
}
