// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/FunctionRef.h>

#include <cstdint>

namespace faultwave {

/// Calls `body(first, last)` for parts of [begin, end), each once, on the threads that libtorch's own
/// operators run on (at::get_num_threads()), and returns when all are done. There are no more parts than
/// `grain` numbers go into them. Within another parallel_for, body gets all at once. Throws what a body
/// throws.
void parallel_for(int64_t begin, int64_t end, int64_t grain, c10::function_ref<void(int64_t, int64_t)> body);

}  // namespace faultwave
