// SPDX-License-Identifier: Apache-2.0
#include "src/common/memory_pool.h"

#include <torch/torch.h>

#include <thread>

#include <doctest/doctest.h>

namespace faultwave::detail {
namespace {

constexpr int64_t kMegabyte = 1 << 20;

at::Tensor bytes(int64_t count) {
  return at::empty({count}, at::kByte);
}

/// The pool, with nothing kept before and behind a test.
struct CleanPool {
  CleanPool() { pool.release_kept(); }
  ~CleanPool() { pool.release_kept(); }
  MemoryPool& pool = MemoryPool::instance();
};

TEST_CASE("a freed piece serves whoever asks for nearly as much") {
  const CleanPool clean;
  const MemoryPool::Use use(64 * kMegabyte);
  at::Tensor first = bytes(kMegabyte);
  const void* memory = first.const_data_ptr();
  CHECK(clean.pool.in_use() == kMegabyte);
  first = at::Tensor();
  CHECK(clean.pool.in_use() == 0);
  CHECK(clean.pool.kept() == kMegabyte);

  const at::Tensor small = bytes(kMegabyte / 2);
  CHECK(small.const_data_ptr() != memory);
  const at::Tensor nearly = bytes(kMegabyte - kMegabyte / 8);
  CHECK(nearly.const_data_ptr() == memory);
  CHECK(clean.pool.kept() == 0);
}

TEST_CASE("what is kept stays as long as somebody holds it") {
  const CleanPool clean;
  std::shared_ptr<void> first = clean.pool.keep();
  std::shared_ptr<void> second = clean.pool.keep();
  {
    const MemoryPool::Use use(8 * kMegabyte);
    bytes(kMegabyte);
  }
  first.reset();
  CHECK(clean.pool.kept() == kMegabyte);
  second.reset();
  CHECK(clean.pool.kept() == 0);
}

TEST_CASE("what is kept gives way before the limit is passed") {
  const CleanPool clean;
  const MemoryPool::Use use(8 * kMegabyte);
  at::Tensor old = bytes(3 * kMegabyte);
  at::Tensor younger = bytes(kMegabyte);
  old = at::Tensor();
  younger = at::Tensor();
  CHECK(clean.pool.kept() == 4 * kMegabyte);
  const at::Tensor large = bytes(6 * kMegabyte);
  CHECK(clean.pool.in_use() == 6 * kMegabyte);
  CHECK(clean.pool.kept() == kMegabyte);  // the older one went
}

TEST_CASE("beyond the limit a strict thread is stopped, and no other") {
  const CleanPool clean;
  const MemoryPool::Use use(4 * kMegabyte);
  const at::Tensor most = bytes(3 * kMegabyte);
  {
    const MemoryPool::StrictLimit strict;
    CHECK_THROWS_AS(bytes(2 * kMegabyte), OverLimit);
    CHECK_NOTHROW(bytes(kMegabyte));
    at::Tensor of_other_thread;
    std::thread([&] { of_other_thread = bytes(2 * kMegabyte); }).join();
    CHECK(clean.pool.in_use() == 5 * kMegabyte);
  }
  CHECK_NOTHROW(bytes(2 * kMegabyte));
}

TEST_CASE("small tensors, and those behind the last use, are libtorch's own") {
  const CleanPool clean;
  at::Tensor survivor;
  {
    const MemoryPool::Use use(kMegabyte);
    const MemoryPool::Use inner(8 * kMegabyte);  // the outer limit counts
    const at::Tensor small = bytes(1000);
    CHECK(clean.pool.in_use() == 0);
    survivor = bytes(kMegabyte);
    const MemoryPool::StrictLimit strict;
    CHECK_THROWS_AS(bytes(kMegabyte), OverLimit);
  }
  const at::Tensor behind = bytes(kMegabyte);
  CHECK(clean.pool.in_use() == kMegabyte);
  survivor = at::Tensor();
  CHECK(clean.pool.in_use() == 0);
  CHECK(clean.pool.kept() == 0);
}

}  // namespace
}  // namespace faultwave::detail
