// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <ostream>
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
  /// The first `bytes` bytes, or fewer where the file is shorter.
  std::string head(uint64_t bytes);

 private:
  std::string path_;
  std::ifstream stream_;
  uint64_t size_ = 0;
};

/// All bytes of a file. Throws UserError(bad_input).
std::vector<uint8_t> read_whole_file(const std::string& path);

/// Writes a file beside its final place and moves it there when it is complete; an older file of the name
/// stays until then. Throws UserError(store) and leaves nothing behind if that cannot be done.
void write_whole_file(const std::string& path, const std::function<void(std::ostream&)>& write);

}  // namespace faultwave
