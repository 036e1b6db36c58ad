// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "faultwave/store.h"

namespace faultwave {

/// What is done of a block as bytes, to be sent from one process to another of the same program. Decoding
/// inverts it; damaged bytes throw InternalError.
std::vector<uint8_t> encode_block(const BlockResult& result);
BlockResult decode_block(const std::vector<uint8_t>& bytes);

}  // namespace faultwave
