// SPDX-License-Identifier: Apache-2.0
#include "src/common/memory_shortage.h"

#include <ATen/ATen.h>

#include <new>
#include <stdexcept>

#include <doctest/doctest.h>

using faultwave::shortage_of_memory;

TEST_CASE("what libtorch says when memory cannot be had is known, with the amount") {
  try {
    at::empty({int64_t{1} << 46}, at::kByte);  // 64 TB: more than any machine lends
    FAIL("allocated");
  } catch (const std::exception& error) {
    CHECK(shortage_of_memory(error) == "64.0 TB were asked for at once");
  }
  const std::runtime_error cuda(
      "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of ...");
  CHECK(shortage_of_memory(cuda) == "2.50 GB were asked for at once");
  CHECK(shortage_of_memory(std::bad_alloc()) == "");
  CHECK_FALSE(shortage_of_memory(std::runtime_error("sizes differ")));
}
