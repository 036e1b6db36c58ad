// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace faultwave {

/// The right to write to a campaign, held by one owner at a time, given back when the process ends in any
/// way. SQLite's own locks last for a transaction only and so do not tell a second writer that a campaign is
/// running. Readers do not need it. Must be taken before SQLite opens the file and outlive that.
class FileLock {
 public:
  FileLock() = default;
  /// Throws UserError(store) if the file cannot be opened or somebody holds it.
  explicit FileLock(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

  /// Where nothing is held, does nothing. Throws UserError(store) if what lies at `path` is not the file that
  /// is held: it was removed or replaced, and what is written goes nowhere.
  void check_in_place(const std::string& path) const;

 private:
  using FileIdentity = std::pair<unsigned long, unsigned long>;  // device, inode

  int descriptor_ = -1;
  FileIdentity identity_;
};

}  // namespace faultwave
