// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace faultwave {

/// The right to write to a campaign, held by one process at a time, given back when the process ends in any
/// way. SQLite's own locks last for a transaction only and so do not tell a second writer that a campaign is
/// running. Readers do not need it. Must be taken before SQLite opens the file and outlive that, since
/// closing a descriptor of a file drops SQLite's locks on it.
class FileLock {
 public:
  FileLock() = default;
  /// Throws UserError(store) if the file cannot be opened or another process holds it.
  explicit FileLock(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  int descriptor_ = -1;
};

}  // namespace faultwave
