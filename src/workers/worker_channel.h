// SPDX-License-Identifier: Apache-2.0
// What a pool and its workers say to each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultwave {

/// What a worker sends. Each frame is its length in eight bytes, its kind in one, and the bytes.
enum class FrameKind : uint8_t {
  piece_of_block,  ///< encode_block of some trials; more will come
  end_of_block,    ///< the rest
  trial_survived,  ///< a trial that was run alone ended; no bytes
};

struct Frame {
  FrameKind kind = FrameKind::piece_of_block;
  std::vector<uint8_t> bytes;
};

/// Writes all of it, unless nobody reads any more: that is noticed elsewhere.
void write_all(int descriptor, const std::string& text);
void write_frame(int descriptor, FrameKind kind, const std::vector<uint8_t>& bytes);

/// Puts frames together from what comes in.
class FrameReader {
 public:
  /// Reads once. False at the end.
  bool read_from(int descriptor);
  /// The next whole frame.
  std::optional<Frame> next();

 private:
  std::vector<uint8_t> received_;
};

/// Reads lines, each without its end. Empty at the end.
class LineReader {
 public:
  explicit LineReader(int descriptor) : descriptor_(descriptor) {}
  std::optional<std::string> next();

 private:
  int descriptor_;
  std::string received_;
};

}  // namespace faultwave
