// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "faultwave/inputs.h"

#include "src/common/input_file.h"
#include "src/data/sha256.h"

namespace faultwave {

std::string file_fingerprint(const std::string& path) {
  constexpr uint64_t piece_bytes = uint64_t{1} << 20;
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
