// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace faultwave::sha256 {

using State = std::array<uint32_t, 8>;

/// Takes in so many blocks of 64 bytes, by the fastest way that the processor has.
void compress(State& state, const uint8_t* blocks, size_t count);

/// By plain code.
void compress_plainly(State& state, const uint8_t* blocks, size_t count);
/// By the SHA instructions of x86 processors; only where has_sha_instructions().
void compress_by_instructions(State& state, const uint8_t* blocks, size_t count);
bool has_sha_instructions();

}  // namespace faultwave::sha256
