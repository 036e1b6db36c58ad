// SPDX-License-Identifier: Apache-2.0
#include "src/workers/worker_channel.h"

#include <cerrno>
#include <cstddef>
#include <cstring>

#include <unistd.h>

namespace faultwave {
namespace {

constexpr size_t kHead = sizeof(uint64_t) + 1;

void write_bytes(int descriptor, const void* data, size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, from, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    from += written;
    size -= static_cast<size_t>(written);
  }
}

/// How much was read, 0 at the end.
size_t read_some(int descriptor, void* data, size_t size) {
  while (true) {
    const ssize_t count = ::read(descriptor, data, size);
    if (count < 0 && errno == EINTR) continue;
    return count > 0 ? static_cast<size_t>(count) : 0;
  }
}

}  // namespace

void write_all(int descriptor, const std::string& text) {
  write_bytes(descriptor, text.data(), text.size());
}

void write_frame(int descriptor, FrameKind kind, const std::vector<uint8_t>& bytes) {
  const uint64_t length = bytes.size();
  uint8_t head[kHead];
  std::memcpy(head, &length, sizeof length);
  head[sizeof length] = static_cast<uint8_t>(kind);
  write_bytes(descriptor, head, kHead);
  write_bytes(descriptor, bytes.data(), bytes.size());
}

bool FrameReader::read_from(int descriptor) {
  uint8_t buffer[1 << 16];
  const size_t size = read_some(descriptor, buffer, sizeof buffer);
  received_.insert(received_.end(), buffer, buffer + size);
  return size > 0;
}

std::optional<Frame> FrameReader::next() {
  if (received_.size() < kHead) return std::nullopt;
  uint64_t length = 0;
  std::memcpy(&length, received_.data(), sizeof length);
  if (received_.size() - kHead < length) return std::nullopt;
  const auto begin = received_.begin() + static_cast<std::ptrdiff_t>(kHead);
  const auto end = begin + static_cast<std::ptrdiff_t>(length);
  Frame frame{static_cast<FrameKind>(received_[kHead - 1]), {begin, end}};
  received_.erase(received_.begin(), end);
  return frame;
}

std::optional<std::string> LineReader::next() {
  size_t end = 0;
  while ((end = received_.find('\n')) == std::string::npos) {
    char buffer[256];
    const size_t size = read_some(descriptor_, buffer, sizeof buffer);
    if (size == 0) return std::nullopt;
    received_.append(buffer, size);
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

}  // namespace faultwave
