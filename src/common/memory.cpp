// SPDX-License-Identifier: Apache-2.0
#include "faultwave/memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace faultwave {

void keep_freed_memory() {
#ifdef __GLIBC__
  // Larger pieces go back to the system: kept, they would lie between others and be of no use to any.
  constexpr int largest_kept = 256 << 20;
  constexpr int most_kept = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, largest_kept);
  mallopt(M_TRIM_THRESHOLD, most_kept);
  setenv("THP_MEM_ALLOC_ENABLE", "1", /*overwrite=*/0);  // libtorch asks for large pages then
#endif
}

}  // namespace faultwave
