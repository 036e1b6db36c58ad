// SPDX-License-Identifier: Apache-2.0
#include "src/data/files.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <unistd.h>

#include "faultwave/error.h"
#include "faultwave/inputs.h"

#include "src/data/sha256.h"

namespace faultwave {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t piece_bytes = uint64_t{1} << 20;

[[noreturn]] void cannot_write(const std::string& path, const std::string& why) {
  throw UserError(ErrorCode::store, "cannot write '" + path + "': " + why);
}

/// Removes a file at the end of the scope, unless told to keep it.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    std::error_code ignored;
    if (!is_kept_) fs::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const fs::path& path() const { return path_; }
  void keep() { is_kept_ = true; }

 private:
  fs::path path_;
  bool is_kept_ = false;
};

}  // namespace

void cannot_read(const std::string& path, const std::string& why) {
  throw UserError(ErrorCode::bad_input, "cannot read '" + path + "': " + why);
}

InputFile::InputFile(const std::string& path) : path_(path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) cannot_read(path, error ? error.message() : "No such file or directory");
  if (fs::is_directory(status)) cannot_read(path, "it is a folder; expected a file");
  if (!fs::is_regular_file(status)) cannot_read(path, "it is not a regular file");
  errno = 0;
  stream_.open(path, std::ios::binary);
  if (!stream_) cannot_read(path, errno != 0 ? std::strerror(errno) : "it cannot be opened");
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

std::string InputFile::head(uint64_t bytes) {
  std::string text(std::min(bytes, size_), '\0');
  read(0, text.data(), text.size());
  return text;
}

std::vector<uint8_t> read_whole_file(const std::string& path) {
  InputFile file(path);
  std::vector<uint8_t> bytes(file.size());
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

void write_whole_file(const std::string& path, const std::function<void(std::ostream&)>& write) {
  std::error_code error;
  if (fs::is_directory(path, error)) cannot_write(path, "it is a folder; expected the name of a file");
  static std::atomic<uint64_t> written = 0;
  TemporaryFile temporary(path + ".part" + std::to_string(::getpid()) + "-" + std::to_string(++written));

  errno = 0;
  std::ofstream stream(temporary.path(), std::ios::binary | std::ios::trunc);
  if (!stream) cannot_write(path, errno != 0 ? std::strerror(errno) : "its folder cannot be written");
  write(stream);
  stream.close();  // flushes; a full disk shows here at the latest
  if (!stream) cannot_write(path, errno != 0 ? std::strerror(errno) : "the disk may be full");

  fs::rename(temporary.path(), path, error);
  if (error) cannot_write(path, error.message());
  temporary.keep();
}

std::string file_fingerprint(const std::string& path) {
  InputFile file(path);
  Sha256 hash;
  std::vector<char> piece(std::min(file.size(), piece_bytes));
  for (uint64_t offset = 0; offset < file.size(); offset += piece_bytes) {
    const uint64_t bytes = std::min(piece_bytes, file.size() - offset);
    file.read(offset, piece.data(), bytes);
    hash.add(piece.data(), bytes);
  }
  return to_hex(hash.finish());
}

}  // namespace faultwave
