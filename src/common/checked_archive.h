// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caffe2/serialize/inline_container.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/common/zip_directory.h"

namespace faultwave {

/// An archive that PyTorch wrote (torch.save, torch.jit.save, torch.export.save), for reading. libtorch's own
/// reader believes what a file says; here the directory has been checked against the file
/// (read_zip_directory), and every record that is read against its check sum, so that damage is an error and
/// never a value. Records are named without the archive's own folder: "data.pkl". Not for two threads at
/// once.
class CheckedArchive {
 public:
  /// Throws UserError(bad_input) for a file that is no whole archive.
  explicit CheckedArchive(const std::string& path);

  const std::string& path() const { return path_; }
  /// In the order of the directory.
  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::string& name) const { return records_.count(name) > 0; }
  /// How many bytes a record has, unpacked; 0 if there is none of the name.
  uint64_t bytes(const std::string& name) const;
  /// The file format's version, which a copy of the archive keeps.
  uint64_t version() const { return reader_->version(); }

  /// The record in memory of libtorch's, and its size. Throws UserError(bad_input) if there is none, or it is
  /// damaged.
  std::pair<at::DataPtr, size_t> read(const std::string& name);
  std::string read_text(const std::string& name);

  /// Reads all records; for an archive that is then given to libtorch.
  void check_all();
  /// The file, open, for libtorch's functions.
  std::shared_ptr<caffe2::serialize::ReadAdapterInterface> source() const { return source_; }

 private:
  std::string path_;
  std::shared_ptr<caffe2::serialize::ReadAdapterInterface> source_;
  std::unique_ptr<caffe2::serialize::PyTorchStreamReader> reader_;
  std::vector<std::string> names_;
  std::map<std::string, ZipRecord> records_;
};

}  // namespace faultwave
