// SPDX-License-Identifier: Apache-2.0
// at::parallel_for is a template, whose threads the compiler makes that compiles it: without OpenMP it is a
// plain loop, and Clang's OpenMP has other threads than libtorch. GOMP_parallel is what GCC's pragmas become;
// every OpenMP run-time that libtorch comes with has it.
#include "src/common/parallel_for.h"

#include <ATen/Parallel.h>
#include <c10/util/ParallelGuard.h>

#include <algorithm>
#include <atomic>
#include <exception>

extern "C" {
void GOMP_parallel(void (*function)(void*), void* data, unsigned threads, unsigned flags);
int omp_get_num_threads();
int omp_get_thread_num();
}

namespace faultwave {
namespace {

/// How many parts of this size make `total`, the last of them perhaps smaller.
int64_t parts_of(int64_t total, int64_t size) {
  return (total + size - 1) / size;
}

/// One parallel_for under way, as each of its threads sees it.
struct Loop {
  int64_t begin;
  int64_t end;
  int64_t grain;
  c10::function_ref<void(int64_t, int64_t)> body;
  std::atomic_flag has_failed = ATOMIC_FLAG_INIT;
  std::exception_ptr failure;

  /// The part of thread `thread` of `threads`.
  void run_part(int64_t thread, int64_t threads) {
    const int64_t parts = std::min(threads, parts_of(end - begin, std::max<int64_t>(grain, 1)));
    const int64_t size = parts_of(end - begin, parts);
    const int64_t first = begin + thread * size;
    if (first >= end) return;
    try {
      const c10::ParallelGuard within(true);
      body(first, std::min(end, first + size));
    } catch (...) {
      if (!has_failed.test_and_set()) failure = std::current_exception();
    }
  }
};

void run_part_of(void* loop) {
  static_cast<Loop*>(loop)->run_part(omp_get_thread_num(), omp_get_num_threads());
}

}  // namespace

void parallel_for(int64_t begin, int64_t end, int64_t grain, c10::function_ref<void(int64_t, int64_t)> body) {
  if (begin >= end) return;
  at::internal::lazy_init_num_threads();
  if (end - begin <= grain || end - begin == 1 || at::in_parallel_region() || at::get_num_threads() == 1) {
    const c10::ParallelGuard within(true);
    body(begin, end);
    return;
  }
  Loop loop{begin, end, grain, body, ATOMIC_FLAG_INIT, nullptr};
  GOMP_parallel(run_part_of, &loop, 0, 0);
  if (loop.failure) std::rethrow_exception(loop.failure);
}

}  // namespace faultwave
