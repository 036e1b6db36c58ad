// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace faultwave {

/// The check sum of zip archives and PNG files (CRC-32 of ISO 3309: polynomial 0x04c11db7, reflected), eight
/// bytes a step. `before` is the sum of what goes before, so that a long text can be summed in pieces.
uint32_t crc32(const void* data, size_t bytes, uint32_t before = 0);

}  // namespace faultwave
