// SPDX-License-Identifier: Apache-2.0
#include "src/data/image_codec.h"

#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <algorithm>
#include <limits>
#include <memory>
#include <string_view>

#include <boost/crc.hpp>
#include <stb/stb_image.h>

#include "src/data/files.h"
#include "src/data/tensor_files.h"

namespace faultwave {
namespace {

constexpr std::string_view png_magic = "\x89PNG\r\n\x1a\n";
constexpr std::string_view jpeg_magic = "\xff\xd8";
constexpr int64_t most_pixels = int64_t{1} << 28;  // a larger image is more likely a damaged header

[[noreturn]] void not_an_image(const std::string& path) {
  cannot_read(path, "it is not a PNG or JPEG image; expected one of these");
}

uint32_t load_big_endian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
}

/// Whether all chunks are there, up to the last, with the check sums that they state. stb_image does not
/// look.
bool is_whole_png(const std::vector<uint8_t>& bytes) {
  size_t position = png_magic.size();
  while (bytes.size() - position >= 12) {
    const uint8_t* chunk = bytes.data() + position;
    const size_t length = load_big_endian(chunk);
    if (length > bytes.size() - position - 12) return false;
    boost::crc_32_type sum;
    sum.process_bytes(chunk + 4, length + 4);
    if (sum.checksum() != load_big_endian(chunk + 8 + length)) return false;
    if (std::string_view(reinterpret_cast<const char*>(chunk + 4), 4) == "IEND") return true;
    position += length + 12;
  }
  return false;
}

/// Where the compressed data that begins at `position` ends: at the next marker other than a restart.
size_t end_of_scan(const std::vector<uint8_t>& bytes, size_t position) {
  for (; position + 1 < bytes.size(); ++position) {
    const uint8_t next = bytes[position + 1];
    const bool is_data_or_restart = next == 0x00 || next == 0xff || (next >= 0xd0 && next <= 0xd7);
    if (bytes[position] == 0xff && !is_data_or_restart) return position;
  }
  return bytes.size();
}

/// Whether all segments are there, up to the end marker. stb_image fills what is missing with grey. The end
/// marker alone tells little: a camera's preview within the file has one too.
bool is_whole_jpeg(const std::vector<uint8_t>& bytes) {
  constexpr uint8_t end_of_image = 0xd9;
  constexpr uint8_t start_of_scan = 0xda;
  size_t position = jpeg_magic.size();
  while (position + 1 < bytes.size() && bytes[position] == 0xff) {
    const uint8_t marker = bytes[position + 1];
    if (marker == end_of_image) return true;
    if (marker == 0xff) {  // padding
      ++position;
      continue;
    }
    if (position + 3 >= bytes.size()) return false;
    position += 2 + (size_t{bytes[position + 2]} << 8 | bytes[position + 3]);
    if (marker == start_of_scan) position = end_of_scan(bytes, position);
  }
  return false;
}

void check_size(const std::string& path, ImageSize size) {
  if (size.height > most_pixels / size.width) {
    cannot_read(path, "it has " + std::to_string(size.width) + " x " + std::to_string(size.height) +
                          " pixels; expected at most 2^28 of them");
  }
}

/// stb_image's way to read a header: a position that moves through the file.
struct HeaderReader {
  InputFile& file;
  uint64_t position = 0;

  static int read(void* user, char* out, int bytes) {
    auto& self = *static_cast<HeaderReader*>(user);
    const uint64_t left = self.file.size() - std::min(self.position, self.file.size());
    const auto present = static_cast<int>(std::min<uint64_t>(left, static_cast<uint64_t>(bytes)));
    self.file.read(self.position, out, static_cast<uint64_t>(present));
    self.position += static_cast<uint64_t>(present);
    return present;
  }
  static void skip(void* user, int bytes) { static_cast<HeaderReader*>(user)->position += bytes; }
  static int at_end(void* user) {
    const auto& self = *static_cast<HeaderReader*>(user);
    return self.position >= self.file.size();
  }
};

}  // namespace

bool is_image_path(const std::string& path) {
  const std::string suffix = lower_suffix(path);
  return suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg";
}

ImageSize read_image_size(const std::string& path) {
  InputFile file(path);
  HeaderReader reader{.file = file};
  const stbi_io_callbacks callbacks = {HeaderReader::read, HeaderReader::skip, HeaderReader::at_end};
  int width = 0;
  int height = 0;
  int channels = 0;
  if (stbi_info_from_callbacks(&callbacks, &reader, &width, &height, &channels) == 0) not_an_image(path);
  const ImageSize size = {.height = height, .width = width};
  check_size(path, size);
  return size;
}

RgbImage read_image(const std::string& path) {
  check_size(path, read_image_size(path));
  const std::vector<uint8_t> bytes = read_whole_file(path);
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min(bytes.size(), png_magic.size()));
  const bool is_whole = head == png_magic              ? is_whole_png(bytes)
                        : head.starts_with(jpeg_magic) ? is_whole_jpeg(bytes)
                                                       : false;
  if (!is_whole || bytes.size() > std::numeric_limits<int>::max()) {
    cannot_read(path, "the image is damaged or incomplete");
  }
  int width = 0;
  int height = 0;
  int channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height, &channels, 3),
      stbi_image_free);
  if (!pixels) cannot_read(path, "the image is damaged (" + std::string(stbi_failure_reason()) + ")");
  const auto count = static_cast<size_t>(height) * static_cast<size_t>(width) * 3;
  return {.size = {.height = height, .width = width}, .values = {pixels.get(), pixels.get() + count}};
}

}  // namespace faultwave
