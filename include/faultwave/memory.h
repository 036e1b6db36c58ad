// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace faultwave {

/// Lets the C library keep freed memory for reuse, but for pieces above 256 MB, and libtorch ask for large
/// pages, for the whole process; call it first in main. Every operator allocates tensors of megabytes and
/// soon frees them. By default glibc returns each to the system at once, and more than half of a campaign's
/// time goes into page faults. Does nothing with another C library.
void keep_freed_memory();

}  // namespace faultwave
