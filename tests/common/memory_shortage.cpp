// SPDX-License-Identifier: Apache-2.0
#include "src/common/memory_shortage.h"

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>

#include <doctest/doctest.h>

namespace {

using faultwave::memory_shortage;
using faultwave::shortage_of_memory;

TEST_CASE("shortage of memory is known by its exceptions and its texts") {
  CHECK(memory_shortage(std::bad_alloc()));
  CHECK_FALSE(memory_shortage(std::bad_array_new_length()));
  CHECK(
      memory_shortage(std::runtime_error("The following operation failed in the TorchScript interpreter.\n"
                                         "Traceback of TorchScript (most recent call last):\n"
                                         "RuntimeError: std::bad_alloc\n")));
  CHECK(memory_shortage(std::runtime_error("could not create a memory object")));
  CHECK_FALSE(memory_shortage(std::runtime_error("Dimension out of range")));
  CHECK_FALSE(memory_shortage(std::length_error("vector::_M_default_append")));
}

TEST_CASE("what libtorch's allocator says tells how much was asked for") {
  try {
    c10::GetDefaultCPUAllocator()->allocate(size_t{1} << 60);
    FAIL("2^60 bytes were given");
  } catch (const std::exception& error) {
    const auto shortage = memory_shortage(error);
    REQUIRE(shortage);
    CHECK(shortage->bytes == uint64_t{1} << 60);
    CHECK(shortage->is_absurd());
  }
  const auto small =
      memory_shortage(std::runtime_error("DefaultCPUAllocator: can't allocate memory: you tried to "
                                         "allocate 4096 bytes. Error code 12"));
  REQUIRE(small);
  CHECK(small->bytes == 4096);
  CHECK_FALSE(small->is_absurd());
  CHECK_FALSE(memory_shortage(std::bad_alloc())->is_absurd());
}

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

}  // namespace
