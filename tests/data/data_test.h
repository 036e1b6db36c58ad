// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ATen.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/inputs.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {

/// A file that tools/make_test_data_inputs.py wrote.
inline std::string made_file(const std::string& name) {
  const char* folder = std::getenv("FAULTWAVE_TEST_DATA");
  REQUIRE_MESSAGE(folder != nullptr, "FAULTWAVE_TEST_DATA is not set");
  const std::string path = std::string(folder) + "/inputs/" + name;
  REQUIRE_MESSAGE(std::filesystem::exists(path), path << " is missing: run tools/make_test_data_inputs.py");
  return path;
}

/// Why load_tensor refuses a file; the message names it.
inline std::string refusal(const std::string& path) {
  const std::string message = error_of(ErrorCode::bad_input, [&] { load_tensor(path); });
  CHECK(message.find(std::filesystem::path(path).filename().string()) != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

/// Byte i is (37 i + 11) mod 256, as in tools/make_test_data_inputs.py.
inline std::vector<uint8_t> pattern(size_t bytes) {
  std::vector<uint8_t> values(bytes);
  for (size_t i = 0; i < bytes; ++i)
    values[i] = static_cast<uint8_t>(37 * i + 11);
  return values;
}

inline at::Tensor pattern_tensor(at::ScalarType type) {
  at::Tensor tensor = at::empty({2, 3, 4}, type);
  const std::vector<uint8_t> bytes = pattern(tensor.nbytes());
  std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

inline at::Tensor pattern_bools() {
  return at::arange(24).remainder(3).eq(0).view({2, 3, 4});
}

/// Same type, shape and bits.
inline bool is_identical(const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  const at::Tensor x = a.contiguous();
  const at::Tensor y = b.contiguous();
  return x.nbytes() == 0 || std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

}  // namespace faultwave
