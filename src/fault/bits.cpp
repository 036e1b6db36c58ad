// SPDX-License-Identifier: Apache-2.0
#include "src/fault/bits.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "src/common/numbers.h"
#include "src/fault/float_layout.h"

namespace faultwave {
namespace {

enum class Family : uint8_t { floating, integer, boolean };

struct ElementType {
  at::ScalarType dtype;
  std::string_view name;
  int bits;
  Family family;
};

constexpr ElementType kElementTypes[] = {
    {at::kDouble, "FP64", 64, Family::floating},
    {at::kFloat, "FP32", 32, Family::floating},
    {at::kHalf, "FP16", 16, Family::floating},
    {at::kBFloat16, "BF16", 16, Family::floating},
    {at::kFloat8_e4m3fn, "FP8 e4m3fn", 8, Family::floating},
    {at::kFloat8_e5m2, "FP8 e5m2", 8, Family::floating},
    {at::kFloat8_e4m3fnuz, "FP8 e4m3fnuz", 8, Family::floating},
    {at::kFloat8_e5m2fnuz, "FP8 e5m2fnuz", 8, Family::floating},
    {at::kChar, "INT8", 8, Family::integer},
    {at::kByte, "UINT8", 8, Family::integer},
    {at::kShort, "INT16", 16, Family::integer},
    {at::kUInt16, "UINT16", 16, Family::integer},
    {at::kInt, "INT32", 32, Family::integer},
    {at::kUInt32, "UINT32", 32, Family::integer},
    {at::kLong, "INT64", 64, Family::integer},
    {at::kUInt64, "UINT64", 64, Family::integer},
    {at::kBool, "BOOL", 1, Family::boolean},
};

const ElementType* find_type(at::ScalarType dtype) {
  const auto* found = std::find_if(std::begin(kElementTypes), std::end(kElementTypes),
                                   [dtype](const ElementType& type) { return type.dtype == dtype; });
  return found == std::end(kElementTypes) ? nullptr : found;
}

const ElementType& type_of(at::ScalarType dtype) {
  const ElementType* type = find_type(dtype);
  if (type == nullptr) {
    throw UserError(ErrorCode::illegal_fault, std::string("values of type ") + c10::toString(dtype) +
                                                  " cannot be hit; leave their sites out");
  }
  return *type;
}

uint8_t* address_of(const at::Tensor& values, int64_t index) {
  detail::require_plain_memory(values);
  if (index < 0 || index >= values.numel()) throw InternalError("element index outside the tensor");
  return static_cast<uint8_t*>(values.data_ptr()) + index * values.element_size();
}

template <typename Integer>
uint64_t round_to_integer(double value) {
  constexpr auto lowest = std::numeric_limits<Integer>::lowest();
  constexpr auto highest = std::numeric_limits<Integer>::max();
  // As doubles, the highest values of 64 bits round up to a power of two that does not fit: hence `>=`.
  const double rounded = std::nearbyint(value);
  if (std::isnan(value)) return 0;
  if (rounded <= static_cast<double>(lowest)) return static_cast<uint64_t>(lowest);
  if (rounded >= static_cast<double>(highest)) return static_cast<uint64_t>(highest);
  return static_cast<uint64_t>(static_cast<Integer>(rounded));
}

template <typename Integer>
bool integer_holds(double value) {
  constexpr double beyond = 2.0 * static_cast<double>(std::numeric_limits<Integer>::max() / 2 + 1);
  return std::nearbyint(value) == value &&
         value >= static_cast<double>(std::numeric_limits<Integer>::lowest()) && value < beyond;
}

template <typename Integer>
std::string integer_range() {
  return std::to_string(std::numeric_limits<Integer>::lowest()) + " to " +
         std::to_string(std::numeric_limits<Integer>::max());
}

/// Calls `function` with a value of the integer type that `dtype` stores.
template <typename Function>
auto with_integer_type(at::ScalarType dtype, const Function& function) {
  switch (dtype) {
    case at::kChar:
      return function(int8_t{});
    case at::kByte:
      return function(uint8_t{});
    case at::kShort:
      return function(int16_t{});
    case at::kUInt16:
      return function(uint16_t{});
    case at::kInt:
      return function(int32_t{});
    case at::kUInt32:
      return function(uint32_t{});
    case at::kLong:
      return function(int64_t{});
    case at::kUInt64:
      return function(uint64_t{});
    default:
      throw InternalError(std::string("not an integer type: ") + c10::toString(dtype));
  }
}

/// The layout of a type that is shorter than FP32; null for FP32 and FP64, which the processor converts.
const FloatLayout* small_float(at::ScalarType dtype) {
  switch (dtype) {
    case at::kHalf:
      return &kFp16Layout;
    case at::kBFloat16:
      return &kBf16Layout;
    case at::kFloat8_e4m3fn:
      return &kE4m3fnLayout;
    case at::kFloat8_e5m2:
      return &kE5m2Layout;
    case at::kFloat8_e4m3fnuz:
      return &kE4m3fnuzLayout;
    case at::kFloat8_e5m2fnuz:
      return &kE5m2fnuzLayout;
    default:
      return nullptr;
  }
}

}  // namespace

void detail::require_plain_memory(const at::Tensor& values) {
  if (!values.is_cpu() || !values.is_contiguous()) {
    throw InternalError("bits can be read only in contiguous tensors on the CPU");
  }
}

bool is_supported(at::ScalarType dtype) {
  return find_type(dtype) != nullptr;
}

std::string_view type_name(at::ScalarType dtype) {
  const ElementType* type = find_type(dtype);
  return type == nullptr ? c10::toString(dtype) : type->name;
}

bool is_floating(at::ScalarType dtype) {
  return type_of(dtype).family == Family::floating;
}

int word_bits(at::ScalarType dtype) {
  return type_of(dtype).bits;
}

uint64_t word_mask(at::ScalarType dtype) {
  return ~uint64_t{0} >> (64 - word_bits(dtype));
}

uint64_t load_bits(const at::Tensor& values, int64_t index) {
  const uint8_t* address = address_of(values, index);
  if (values.scalar_type() == at::kBool) return *address != 0 ? 1 : 0;
  // Narrow words land in the low bytes: every platform of libtorch is little endian.
  static_assert(std::endian::native == std::endian::little);
  uint64_t bits = 0;
  std::memcpy(&bits, address, values.element_size());
  return bits;
}

void store_bits(at::Tensor& values, int64_t index, uint64_t bits) {
  const uint64_t word = bits & word_mask(values.scalar_type());
  std::memcpy(address_of(values, index), &word, values.element_size());
}

double to_double(uint64_t bits, at::ScalarType dtype) {
  if (dtype == at::kFloat) return std::bit_cast<float>(static_cast<uint32_t>(bits));
  if (dtype == at::kDouble) return std::bit_cast<double>(bits);
  if (dtype == at::kBool) return static_cast<double>(bits & 1);
  if (const FloatLayout* layout = small_float(dtype)) return decode_float(bits, *layout);
  return with_integer_type(
      dtype, [bits](auto integer) { return static_cast<double>(static_cast<decltype(integer)>(bits)); });
}

uint64_t from_double(double value, at::ScalarType dtype) {
  if (dtype == at::kFloat) return std::bit_cast<uint32_t>(static_cast<float>(value));
  if (dtype == at::kDouble) return std::bit_cast<uint64_t>(value);
  if (dtype == at::kBool) return value != 0.0 ? 1 : 0;
  if (const FloatLayout* layout = small_float(dtype)) return encode_float(value, *layout);
  const uint64_t bits =
      with_integer_type(dtype, [value](auto integer) { return round_to_integer<decltype(integer)>(value); });
  return bits & word_mask(dtype);
}

bool can_hold(double value, at::ScalarType dtype) {
  switch (type_of(dtype).family) {
    case Family::boolean:
      return value == 0.0 || value == 1.0;
    case Family::integer:
      return with_integer_type(dtype,
                               [value](auto integer) { return integer_holds<decltype(integer)>(value); });
    case Family::floating:
      break;
  }
  if (std::isnan(value)) return true;
  const FloatLayout* layout = small_float(dtype);
  if (std::isinf(value)) return layout == nullptr || layout->infinity.has_value();
  if (layout != nullptr) return is_in_range(value, *layout);
  return std::isfinite(to_double(from_double(value, dtype), dtype));
}

std::string legal_range(at::ScalarType dtype) {
  if (dtype == at::kBool) return "0 to 1";
  if (!is_floating(dtype)) {
    return with_integer_type(dtype, [](auto integer) { return integer_range<decltype(integer)>(); });
  }
  double largest = std::numeric_limits<double>::max();
  if (dtype == at::kFloat) largest = std::numeric_limits<float>::max();
  if (const FloatLayout* layout = small_float(dtype)) largest = largest_finite(*layout);
  return format_number(-largest) + " to " + format_number(largest);
}

}  // namespace faultwave
