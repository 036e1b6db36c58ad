// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace faultwave {

/// Throws UserError(bad_input): "cannot read 'PATH': WHY".
[[noreturn]] void cannot_read(const std::string& path, const std::string& why);

/// A regular file that is open for reading. Not for two threads at once.
class InputFile {
 public:
  /// Throws UserError(bad_input) if there is no such file, or if it cannot be read.
  explicit InputFile(const std::string& path);

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  /// Reads `bytes` bytes from `offset` on. Throws UserError(bad_input) if the file ends before that.
  void read(uint64_t offset, void* out, uint64_t bytes);
  /// Likewise, as text. Memory is taken only for what the file has.
  std::string text(uint64_t offset, uint64_t bytes);
  /// The first `bytes` bytes, or fewer where the file is shorter.
  std::string head(uint64_t bytes);

 private:
  std::string path_;
  std::ifstream stream_;
  uint64_t size_ = 0;
};

/// All bytes of a file. Throws UserError(bad_input).
std::vector<uint8_t> read_whole_file(const std::string& path);

/// All that a file says which people write; a FIFO or a device will do. Throws UserError(bad_input) if it
/// cannot be read, is a folder, or does not end within `most` bytes.
std::string read_text_file(const std::string& path, uint64_t most);

}  // namespace faultwave
