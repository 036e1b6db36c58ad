// SPDX-License-Identifier: Apache-2.0
#include "src/store/file_lock.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faultwave/error.h"

namespace faultwave {
namespace {

// Files that this process holds. Closing any descriptor of a file drops the locks that SQLite holds on it in
// this process, so a file that is held must not even be opened to try its lock.
std::mutex held_mutex;
std::set<std::pair<unsigned long, unsigned long>> held;

/// 0, or why not. A process that held the file and was killed may take a moment to end.
int lock_soon(int descriptor) {
  constexpr int kTries = 10;
  constexpr std::chrono::milliseconds kPause{50};
  for (int attempt = 1; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EWOULDBLOCK || attempt == kTries) return errno;
    std::this_thread::sleep_for(kPause);
  }
  return 0;
}

UserError cannot_open(const std::string& path, int code) {
  return UserError(ErrorCode::store, "cannot open '" + path + "' for writing: " + std::strerror(code));
}

}  // namespace

FileLock::FileLock(const std::string& path) {
  const std::lock_guard guard(held_mutex);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) throw cannot_open(path, errno);
  identity_ = {status.st_dev, status.st_ino};
  if (held.count(identity_) != 0) {
    throw UserError(ErrorCode::store, "'" + path + "' is open for writing in this process already");
  }
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor_ < 0) throw cannot_open(path, errno);
  const int code = lock_soon(descriptor_);
  if (code == 0) {
    held.insert(identity_);
    return;
  }
  ::close(std::exchange(descriptor_, -1));
  if (code != EWOULDBLOCK) throw cannot_open(path, code);
  throw UserError(
      ErrorCode::store,
      "'" + path + "' is in use by another faultwave process: wait for it, or end it, and try again");
}

FileLock::FileLock(FileLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), identity_(other.identity_) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(identity_, other.identity_);
  return *this;
}

void FileLock::check_in_place(const std::string& path) const {
  if (descriptor_ < 0) return;
  struct stat status{};
  const bool is_there = ::stat(path.c_str(), &status) == 0;
  if (is_there && identity_ == FileIdentity{status.st_dev, status.st_ino}) return;
  throw UserError(ErrorCode::store, "'" + path + "' was " + (is_there ? "replaced" : "removed or renamed") +
                                        " while it was written to, so nothing more can be recorded in it: "
                                        "put it back and go on with `faultwave resume`, or begin again");
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  const std::lock_guard guard(held_mutex);
  held.erase(identity_);
  ::close(descriptor_);
}

}  // namespace faultwave
