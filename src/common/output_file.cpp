// SPDX-License-Identifier: Apache-2.0
#include "src/common/output_file.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <locale>
#include <ostream>
#include <streambuf>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faultwave/error.h"

namespace faultwave {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void cannot_write(const std::string& path, const std::string& why) {
  throw UserError(ErrorCode::store, "cannot write '" + path + "': " + why);
}

/// What a stream writes to: an open file, of which the first failure is kept (an ofstream would not say why).
class Descriptor final : public std::streambuf {
 public:
  /// `descriptor` is -1 and errno set where nothing was opened.
  explicit Descriptor(int descriptor) : descriptor_(descriptor), error_(descriptor < 0 ? errno : 0) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }
  ~Descriptor() override { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  /// The errno of the first failure; 0 if there was none.
  int error() const { return error_; }
  int number() const { return descriptor_; }

  void close() {
    sync();
    // A file system that writes late tells here that it could not.
    if (descriptor_ >= 0 && ::close(std::exchange(descriptor_, -1)) != 0) keep_error();
  }

 protected:
  int_type overflow(int_type letter) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(letter, traits_type::eof())) sputc(traits_type::to_char_type(letter));
    return traits_type::not_eof(letter);
  }

  std::streamsize xsputn(const char* data, std::streamsize bytes) override {
    if (bytes < epptr() - pptr()) return std::streambuf::xsputn(data, bytes);
    return sync() == 0 && write_all(data, static_cast<size_t>(bytes)) ? bytes : 0;
  }

  int sync() override {
    const bool is_written = write_all(pbase(), static_cast<size_t>(pptr() - pbase()));
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return is_written ? 0 : -1;
  }

 private:
  void keep_error() {
    if (error_ == 0) error_ = errno != 0 ? errno : EIO;
  }

  bool write_all(const char* data, size_t bytes) {
    while (bytes > 0 && error_ == 0) {
      const ssize_t written = ::write(descriptor_, data, bytes);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        keep_error();
        break;
      }
      data += written;
      bytes -= static_cast<size_t>(written);
    }
    return error_ == 0;
  }

  int descriptor_;
  int error_;
  std::array<char, 1 << 16> buffer_;
};

/// Removes a file at the end of the scope, unless it has got another name by then.
class Draft {
 public:
  explicit Draft(std::string path) : path_(std::move(path)) {}
  ~Draft() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  /// 0, or an errno.
  int rename(const std::string& name) {
    if (::rename(path_.c_str(), name.c_str()) != 0) return errno;
    path_.clear();
    return 0;
  }

 private:
  std::string path_;
};

/// Where a file of this name lies, links followed, also those that point to a file which is not there yet.
std::string followed(const std::string& path) {
  std::error_code error;
  const fs::path there = fs::canonical(path, error);
  if (!error) return there.string();
  fs::path place = path;
  constexpr int most_links = 40;  // as Linux has it
  for (int links = 0; fs::is_symlink(fs::symlink_status(place, error)); ++links) {
    if (links == most_links) cannot_write(path, std::strerror(ELOOP));
    place = place.parent_path() / fs::read_symlink(place, error);
    if (error) cannot_write(path, error.message());
  }
  return place.string();
}

void write_through(Descriptor& file, const std::string& path,
                   const std::function<void(std::ostream&)>& write) {
  if (file.error() != 0) cannot_write(path, std::strerror(file.error()));
  std::ostream stream(&file);
  stream.imbue(std::locale::classic());
  write(stream);
  stream.flush();
  if (!stream && file.error() == 0) cannot_write(path, "not all of it could be written");
}

void close(Descriptor& file, const std::string& path) {
  file.close();
  if (file.error() != 0) cannot_write(path, std::strerror(file.error()));
}

void write_as_it_is(const std::string& path, const std::function<void(std::ostream&)>& write) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  write_through(file, path, write);
  close(file, path);
}

/// Makes a file beside the final one, under a name that nothing has yet, and gives its descriptor; -1 and
/// errno if it cannot be made.
int make_draft(const std::string& place, std::string& name) {
  static std::atomic<uint64_t> drafts = 0;
  constexpr mode_t everybody = 0666;  // less what the process's mask takes away
  constexpr int most_tries = 1000;  // what a killed process left has a name that comes again with its number
  int descriptor = -1;
  for (int tries = 0; tries < most_tries; ++tries) {
    name = place + ".part" + std::to_string(::getpid()) + "-" + std::to_string(++drafts);
    descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, everybody);
    if (descriptor >= 0 || errno != EEXIST) break;
  }
  return descriptor;
}

}  // namespace

void write_file(const std::string& path, const std::function<void(std::ostream&)>& write) {
  struct stat old{};
  const bool is_there = ::stat(path.c_str(), &old) == 0;
  if (is_there && S_ISDIR(old.st_mode)) cannot_write(path, "it is a folder; expected the name of a file");
  if (is_there && !S_ISREG(old.st_mode)) return write_as_it_is(path, write);

  const std::string place = followed(path);
  std::string name;
  Descriptor file(make_draft(place, name));
  Draft draft(file.error() == 0 ? name : "");
  if (is_there && file.error() == 0) ::fchmod(file.number(), old.st_mode & 07777);
  write_through(file, path, write);
  close(file, path);
  if (const int error = draft.rename(place); error != 0) cannot_write(path, std::strerror(error));
}

}  // namespace faultwave
