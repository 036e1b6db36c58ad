// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/common/input_file.h"

namespace faultwave {

/// A record of a zip archive, as the archive's directory describes it.
struct ZipRecord {
  std::string name;  ///< "net/data/weights/weight_0"
  bool is_compressed = false;
  uint32_t check_sum = 0;  ///< crc32 of the unpacked bytes
  uint64_t packed_bytes = 0;
  uint64_t bytes = 0;   ///< unpacked
  uint64_t offset = 0;  ///< of the record's own header in the file
};

/// Reads the directory of a zip archive and checks it against the file: records lie within it, one behind the
/// other, are stored or deflated as their own headers say, and have names of their own in one common folder.
/// So whoever reads records afterwards, libtorch's zip library included, finds what the directory says and
/// takes no more memory than this allows: records unpack to at most 32 times the file's size and 64 MB.
/// Throws UserError(bad_input) otherwise.
std::vector<ZipRecord> read_zip_directory(InputFile& file);

}  // namespace faultwave
