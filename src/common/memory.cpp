// SPDX-License-Identifier: Apache-2.0
#include "faultwave/memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace faultwave {

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int one_gibibyte = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, one_gibibyte);
  mallopt(M_TRIM_THRESHOLD, one_gibibyte);
#endif
}

}  // namespace faultwave
