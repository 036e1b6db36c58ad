// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "faultwave/error.h"

namespace faultwave {

// The words that tensors store, as integers. Element types: FP64, FP32, FP16, BF16, FP8 (e4m3fn, e5m2 and
// their fnuz forms), signed and unsigned integers of 8 to 64 bits, bool.

/// Whether faults can hit values of this type. Not so: complex, quantised (their stored integers can), packed
/// types.
bool is_supported(at::ScalarType dtype);

/// "FP32", "BF16", "FP8 e4m3fn", "INT8", "BOOL"; PyTorch's own name for a type that is not supported.
std::string_view type_name(at::ScalarType dtype);

bool is_floating(at::ScalarType dtype);

/// Bits of one value; bool has 1.
int word_bits(at::ScalarType dtype);
/// Ones in the lowest word_bits.
uint64_t word_mask(at::ScalarType dtype);

/// The stored bits of element `index`, in the lowest bits of the result. `values`: contiguous, on the CPU.
uint64_t load_bits(const at::Tensor& values, int64_t index);
/// Stores the lowest word_bits of `bits`, as they are: NaN payloads and -0 survive.
void store_bits(at::Tensor& values, int64_t index, uint64_t bits);

/// The value that a word stands for: exact, but for integers beyond 2^53, which are rounded to even.
double to_double(uint64_t bits, at::ScalarType dtype);

/// The word nearest to `value`, ties to even. Beyond the largest finite value of a floating-point type:
/// infinity, or what encode_float does in a type without it. Integers saturate, NaN becomes 0. bool: whether
/// not 0.
uint64_t from_double(double value, at::ScalarType dtype);

/// Whether `value` can be stored without overflow: integers and bool need a whole number in range; floating
/// point takes what rounds to a finite value, NaN, and infinity where the format has it.
bool can_hold(double value, at::ScalarType dtype);

/// The values that can_hold accepts, for messages: "-128 to 127".
std::string legal_range(at::ScalarType dtype);

namespace detail {

/// Throws InternalError unless `values` lies contiguously on the CPU.
void require_plain_memory(const at::Tensor& values);

template <typename Word, typename Function>
void transform_words(at::Tensor& values, const Function& function) {
  auto* address = static_cast<uint8_t*>(values.mutable_data_ptr());
  const uint8_t* end = address + values.numel() * sizeof(Word);
  for (; address != end; address += sizeof(Word)) {
    Word word;
    std::memcpy(&word, address, sizeof(Word));
    word = static_cast<Word>(function(uint64_t{word}));
    std::memcpy(address, &word, sizeof(Word));
  }
}

}  // namespace detail

/// Replaces the bits of every element by `function(bits)`, a uint64_t of a uint64_t, in order. `values` as
/// for load_bits.
template <typename Function>
void transform_bits(at::Tensor& values, const Function& function) {
  detail::require_plain_memory(values);
  if (values.scalar_type() == at::kBool) {
    detail::transform_words<uint8_t>(values, [&](uint64_t byte) { return function(byte != 0 ? 1 : 0) & 1; });
    return;
  }
  switch (values.element_size()) {
    case 1:
      return detail::transform_words<uint8_t>(values, function);
    case 2:
      return detail::transform_words<uint16_t>(values, function);
    case 4:
      return detail::transform_words<uint32_t>(values, function);
    case 8:
      return detail::transform_words<uint64_t>(values, function);
    default:
      throw InternalError("transform_bits met an element type of an unusual size");
  }
}

}  // namespace faultwave
