// SPDX-License-Identifier: Apache-2.0
#include "src/common/input_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "faultwave/error.h"

#include "src/common/plain_text.h"

namespace faultwave {
namespace {

namespace fs = std::filesystem;

/// What is there under a name. Throws UserError if nothing is, or a folder.
fs::file_status status_of(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) cannot_read(path, error ? error.message() : "No such file or directory");
  if (fs::is_directory(status)) cannot_read(path, "it is a folder; expected a file");
  return status;
}

void open(std::ifstream& stream, const std::string& path) {
  errno = 0;
  stream.open(path, std::ios::binary);
  if (!stream) cannot_read(path, errno != 0 ? std::strerror(errno) : "it cannot be opened");
}

}  // namespace

void cannot_read(const std::string& path, const std::string& why) {
  constexpr size_t longest = 1000;
  throw UserError(ErrorCode::bad_input, "cannot read '" + printable(path) + "': " + shortened(why, longest));
}

InputFile::InputFile(const std::string& path) : path_(path) {
  if (!fs::is_regular_file(status_of(path))) cannot_read(path, "it is not a regular file");
  open(stream_, path);
  std::error_code error;
  size_ = fs::file_size(path, error);
  if (error) cannot_read(path, error.message());
}

void InputFile::read(uint64_t offset, void* out, uint64_t bytes) {
  if (bytes == 0) return;
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(offset));
  stream_.read(static_cast<char*>(out), static_cast<std::streamsize>(bytes));
  if (static_cast<uint64_t>(stream_.gcount()) != bytes) {
    cannot_read(path_, "it ends before byte " + std::to_string(offset + bytes) + ", or the disk fails");
  }
}

std::string InputFile::text(uint64_t offset, uint64_t bytes) {
  if (offset > size_ || bytes > size_ - offset) {
    cannot_read(path_, "it is damaged or incomplete: it has " + std::to_string(size_) +
                           " bytes, and says that " + std::to_string(bytes) + " are at byte " +
                           std::to_string(offset));
  }
  std::string text(bytes, '\0');
  read(offset, text.data(), bytes);
  return text;
}

std::string InputFile::head(uint64_t bytes) {
  return text(0, std::min(bytes, size_));
}

std::vector<uint8_t> read_whole_file(const std::string& path) {
  InputFile file(path);
  std::vector<uint8_t> bytes(file.size());
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

std::string read_text_file(const std::string& path, uint64_t most) {
  status_of(path);
  std::ifstream stream;
  open(stream, path);
  std::string text;
  std::array<char, 1 << 16> piece;
  while (stream) {
    stream.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<size_t>(stream.gcount()));
    if (text.size() > most) {
      cannot_read(path,
                  "it has more than " + std::to_string(most) + " bytes, which is too long for its kind");
    }
  }
  if (stream.bad()) cannot_read(path, "the disk fails");
  return text;
}

}  // namespace faultwave
