// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace faultwave {

/// What the header of an `.npy` file says (NumPy enhancement proposal 1): a Python dictionary with three
/// keys.
struct NpyHeader {
  std::string descr;  ///< NumPy's name of the type, "<f4"
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// Parses the text between the length field and the data. `path` is for the message of UserError(bad_input).
NpyHeader parse_npy_header(std::string_view text, const std::string& path);

/// How the values of a descr are stored.
struct NpyType {
  at::ScalarType dtype = at::ScalarType::Float;
  bool is_big_endian = false;
};
/// Throws UserError(bad_input) for a type that a tensor cannot have: text, dates, records, Python objects,
/// FP128.
NpyType parse_npy_type(const std::string& descr, const std::string& path);

/// The little-endian descr of a type, or "" if NumPy has none (BF16, FP8).
std::string npy_descr(at::ScalarType dtype);

}  // namespace faultwave
