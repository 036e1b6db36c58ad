// SPDX-License-Identifier: Apache-2.0
#include "src/common/shape.h"

#include <doctest/doctest.h>

using faultwave::shape_text;
using faultwave::unravel;

TEST_CASE("an offset becomes an index in row-major order") {
  CHECK(unravel(0, {2, 3, 4}) == std::vector<int64_t>{0, 0, 0});
  CHECK(unravel(4, {2, 3, 4}) == std::vector<int64_t>{0, 1, 0});
  CHECK(unravel(23, {2, 3, 4}) == std::vector<int64_t>{1, 2, 3});
  CHECK(unravel(0, {}).empty());
}

TEST_CASE("shapes print as PyTorch prints them") {
  CHECK(shape_text({}) == "[]");
  CHECK(shape_text({7}) == "[7]");
  CHECK(shape_text({1, 3, 224, 224}) == "[1, 3, 224, 224]");
}
