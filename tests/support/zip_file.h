// SPDX-License-Identifier: Apache-2.0
// Archives as tests need them: taken apart, changed, and put together again with sizes and sums that fit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "src/common/checked_archive.h"
#include "src/common/crc32.h"
#include "tests/support/temp_folder.h"

namespace faultwave {

/// Name, with the archive's folder, and content.
using ZipContent = std::vector<std::pair<std::string, std::string>>;

inline std::string little_endian(uint64_t number, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i)
    text += static_cast<char>(number >> (8 * i) & 0xFF);
  return text;
}

/// An archive of stored records, with 32-bit sizes.
inline std::string zip_of(const ZipContent& content) {
  std::string file;
  std::string directory;
  for (const auto& [name, data] : content) {
    const std::string sizes = little_endian(crc32(data.data(), data.size()), 4) +
                              little_endian(data.size(), 4) + little_endian(data.size(), 4) +
                              little_endian(name.size(), 2) + little_endian(0, 2);
    const std::string common = little_endian(20, 2) + little_endian(0, 2) + little_endian(0, 2) +
                               little_endian(0, 4) + sizes;  // version, flags, method, time, ...
    directory += "PK\x01\x02" + little_endian(20, 2) + common + little_endian(0, 10) +
                 little_endian(file.size(), 4) + name;
    file += "PK\x03\x04" + common + name + data;
  }
  const std::string end = "PK\x05\x06" + little_endian(0, 4) + little_endian(content.size(), 2) +
                          little_endian(content.size(), 2) + little_endian(directory.size(), 4) +
                          little_endian(file.size(), 4) + little_endian(0, 2);
  return file + directory + end;
}

/// The records of an archive of PyTorch, unpacked.
inline ZipContent content_of_zip(const std::string& path) {
  CheckedArchive archive(path);
  ZipContent content;
  for (const std::string& name : archive.names())
    content.emplace_back("archive/" + name, archive.read_text(name));
  return content;
}

/// Writes a copy of an archive whose record (named with its ending) went through `change`.
inline void change_record(const std::string& from, const std::string& to, const std::string& ending,
                          const std::function<std::string(const std::string&)>& change) {
  ZipContent content = content_of_zip(from);
  for (auto& [name, data] : content) {
    if (name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0)
      data = change(data);
  }
  write_file(to, zip_of(content));
}

}  // namespace faultwave
