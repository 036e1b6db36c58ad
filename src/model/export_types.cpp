// SPDX-License-Identifier: Apache-2.0
#include "src/model/export_types.h"

#include <c10/core/ScalarType.h>

#include <array>
#include <string>
#include <utility>

#include "faultwave/error.h"

namespace faultwave::detail {
namespace {

constexpr std::array<std::pair<int64_t, at::ScalarType>, 21> kScalarTypes = {{
    {1, at::kByte},
    {2, at::kChar},
    {3, at::kShort},
    {4, at::kInt},
    {5, at::kLong},
    {6, at::kHalf},
    {7, at::kFloat},
    {8, at::kDouble},
    {9, at::kComplexHalf},
    {10, at::kComplexFloat},
    {11, at::kComplexDouble},
    {12, at::kBool},
    {13, at::kBFloat16},
    {28, at::kUInt16},
    {29, at::kFloat8_e4m3fn},
    {30, at::kFloat8_e5m2},
    {31, at::kFloat8_e4m3fnuz},
    {32, at::kFloat8_e5m2fnuz},
    {33, at::kFloat8_e8m0fnu},
    {34, at::kUInt32},
    {35, at::kUInt64},
}};

[[noreturn]] void refuse(const std::string& what, int64_t number) {
  throw UserError(ErrorCode::bad_network, "the exported program uses " + what + " number " +
                                              std::to_string(number) +
                                              ", which its schema (version 8) does not have");
}

}  // namespace

at::ScalarType scalar_type_from_export(int64_t number) {
  for (const auto& [known, type] : kScalarTypes) {
    if (known == number) return type;
  }
  refuse("the dtype", number);
}

int64_t scalar_type_to_export(at::ScalarType type) {
  for (const auto& [number, known] : kScalarTypes) {
    if (known == type) return number;
  }
  throw UserError(ErrorCode::bad_network, "an exported program cannot hold tensors of " + type_name(type));
}

at::Layout layout_from_export(int64_t number) {
  switch (number) {
    case 1:
      return at::kSparse;
    case 2:
      return at::kSparseCsr;
    case 3:
      return at::kSparseCsc;
    case 4:
      return at::kSparseBsr;
    case 5:
      return at::kSparseBsc;
    case 6:
      return at::kMkldnn;
    case 7:
      return at::kStrided;
    default:
      refuse("the layout", number);
  }
}

at::MemoryFormat memory_format_from_export(int64_t number) {
  switch (number) {
    case 1:
      return at::MemoryFormat::Contiguous;
    case 2:
      return at::MemoryFormat::ChannelsLast;
    case 3:
      return at::MemoryFormat::ChannelsLast3d;
    case 4:
      return at::MemoryFormat::Preserve;
    default:
      refuse("the memory format", number);
  }
}

bool is_convertible_float(at::ScalarType type) {
  return type == at::kHalf || type == at::kBFloat16 || type == at::kFloat || type == at::kDouble;
}

std::string type_name(at::ScalarType type) {
  return std::string(c10::getDtypeNames(type).first);
}

}  // namespace faultwave::detail
