// SPDX-License-Identifier: Apache-2.0
#include "src/common/checked_archive.h"

#include <algorithm>
#include <utility>

#include "faultwave/error.h"

#include "src/common/crc32.h"
#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"
#include "src/common/plain_text.h"

namespace faultwave {
namespace {

/// Lets libtorch read through the file that was checked, so that nobody can put another one in its place
/// meanwhile.
class Source final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit Source(const std::string& path) : file_(path) {}
  InputFile& file() { return file_; }
  size_t size() const override { return file_.size(); }
  size_t read(uint64_t position, void* out, size_t bytes, const char*) const override {
    const uint64_t present = std::min<uint64_t>(bytes, file_.size() - std::min(position, file_.size()));
    file_.read(position, out, present);
    return present;
  }

 private:
  mutable InputFile file_;
};

}  // namespace

CheckedArchive::CheckedArchive(const std::string& path) : path_(path) {
  auto source = std::make_shared<Source>(path);
  for (ZipRecord& record : read_zip_directory(source->file())) {
    std::string name = record.name.substr(record.name.find('/') + 1);
    names_.push_back(name);
    records_.emplace(std::move(name), std::move(record));
  }
  source_ = std::move(source);
  try {
    reader_ = std::make_unique<caffe2::serialize::PyTorchStreamReader>(source_);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    pass_shortage(error);
    cannot_read(path, "it is no archive of PyTorch, or a damaged one (" + reason_of(error) + ")");
  }
}

uint64_t CheckedArchive::bytes(const std::string& name) const {
  const auto found = records_.find(name);
  return found == records_.end() ? 0 : found->second.bytes;
}

std::pair<at::DataPtr, size_t> CheckedArchive::read(const std::string& name) {
  const auto found = records_.find(name);
  const std::string shown = "'" + shortened(name, 100) + "'";
  if (found == records_.end()) cannot_read(path_, "it is damaged or incomplete: it has no record " + shown);
  std::pair<at::DataPtr, size_t> record;
  try {
    auto [data, bytes] = reader_->getRecord(name);
    record = {std::move(data), bytes};
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    pass_shortage(error);
    cannot_read(path_, "it is damaged: its record " + shown + " cannot be unpacked");
  }
  const bool is_whole = record.second == found->second.bytes &&
                        crc32(record.first.get(), record.second) == found->second.check_sum;
  if (!is_whole) {
    cannot_read(
        path_, "it is damaged: the check sum of its record " + shown +
                   " does not hold; copy the file again, or save it again with PyTorch, check sums included");
  }
  return record;
}

std::string CheckedArchive::read_text(const std::string& name) {
  const auto [data, bytes] = read(name);
  return {static_cast<const char*>(data.get()), bytes};
}

void CheckedArchive::check_all() {
  for (const std::string& name : names_)
    read(name);
}

}  // namespace faultwave
