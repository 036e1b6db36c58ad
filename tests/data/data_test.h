// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ATen.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <stdlib.h>

#include "faultwave/error.h"
#include "faultwave/inputs.h"

namespace faultwave {

/// A file that tools/make_test_data_inputs.py wrote.
inline std::string made_file(const std::string& name) {
  const char* folder = std::getenv("FAULTWAVE_TEST_DATA");
  REQUIRE_MESSAGE(folder != nullptr, "FAULTWAVE_TEST_DATA is not set");
  const std::string path = std::string(folder) + "/inputs/" + name;
  REQUIRE_MESSAGE(std::filesystem::exists(path), path << " is missing: run tools/make_test_data_inputs.py");
  return path;
}

/// An empty folder that is removed at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "faultwave-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path() const { return path_.string(); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  REQUIRE(stream.good());
}

inline std::string read_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE(stream.good());
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The message of the UserError of this code that `function` throws.
template <typename Function>
std::string message_of(ErrorCode code, Function function) {
  try {
    function();
  } catch (const UserError& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  FAIL("nothing was thrown");
  return "";
}

/// Why load_tensor refuses a file; the message names it.
inline std::string refusal(const std::string& path) {
  const std::string message = message_of(ErrorCode::bad_input, [&] { load_tensor(path); });
  CHECK(message.find(std::filesystem::path(path).filename().string()) != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
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
