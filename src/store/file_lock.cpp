// SPDX-License-Identifier: Apache-2.0
#include "src/store/file_lock.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "faultwave/error.h"

namespace faultwave {

FileLock::FileLock(const std::string& path) : descriptor_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw UserError(ErrorCode::store, "cannot open '" + path + "' for writing: " + std::strerror(errno));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int code = errno;
  ::close(descriptor_);
  if (code == EWOULDBLOCK) {
    throw UserError(ErrorCode::store,
                    "'" + path +
                        "' is in use by another faultwave process: wait for it, or end it, and try "
                        "again");
  }
  throw UserError(ErrorCode::store, "cannot lock '" + path + "': " + std::strerror(code));
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace faultwave
