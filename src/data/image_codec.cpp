// SPDX-License-Identifier: Apache-2.0
#include "src/data/image_codec.h"

#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <numeric>
#include <string_view>

#include <stb/stb_image.h>

#include "src/common/crc32.h"
#include "src/common/input_file.h"
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
    if (crc32(chunk + 4, length + 4) != load_big_endian(chunk + 8 + length)) return false;
    if (std::string_view(reinterpret_cast<const char*>(chunk + 4), 4) == "IEND") return true;
    position += length + 12;
  }
  return false;
}

/// Whether so many bytes can hold so many pixels at all: stb_image takes memory for all that the header says.
/// Its header's size and kind of pixels have been read. "Deflate" makes at most 1032 bytes of one.
bool can_hold_png(const std::vector<uint8_t>& bytes, ImageSize size) {
  constexpr int64_t most_of_one = 1032;
  constexpr std::array<int64_t, 7> channels_of = {1, 0, 3, 1, 2, 0, 4};  // grey, RGB, palette, with opacity
  constexpr size_t depth_place = 24;
  if (bytes.size() <= depth_place + 1 || bytes[depth_place + 1] >= channels_of.size()) return false;
  const int64_t bits = bytes[depth_place] * channels_of[bytes[depth_place + 1]];
  const int64_t row = 1 + (size.width * bits + 7) / 8;
  return size.height * row <= most_of_one * static_cast<int64_t>(bytes.size());
}

/// A block of 8 x 8 pixels takes one bit at least.
bool can_hold_jpeg(const std::vector<uint8_t>& bytes, ImageSize size) {
  constexpr int64_t most_of_one = 512;
  return size.height * size.width <= most_of_one * static_cast<int64_t>(bytes.size());
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

/// Whether a segment with Huffman tables holds whole tables of at most 256 codes each, as ITU-T T.81 has it.
/// stb_image writes past its own table where there are more.
bool has_legal_tables(const uint8_t* segment, size_t length) {
  constexpr size_t header = 17;  // a byte that names the table, and how many codes there are of 1 to 16 bits
  while (length > 0) {
    if (length < header) return false;
    const size_t codes = std::accumulate(segment + 1, segment + header, size_t{0});
    if (codes > 256 || codes > length - header) return false;
    segment += header + codes;
    length -= header + codes;
  }
  return true;
}

/// Whether all segments are there and harmless, up to the end marker. stb_image fills what is missing with
/// grey. The end marker alone tells little: a camera's preview within the file has one too.
bool is_whole_jpeg(const std::vector<uint8_t>& bytes) {
  constexpr uint8_t huffman_tables = 0xc4;
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
    const size_t length = size_t{bytes[position + 2]} << 8 | bytes[position + 3];  // with its own two bytes
    if (length < 2 || length + 2 > bytes.size() - position) return false;
    if (marker == huffman_tables && !has_legal_tables(bytes.data() + position + 4, length - 2)) return false;
    position += 2 + length;
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

/// Reads big-endian numbers of a file's header, one after the other.
class HeaderReader {
 public:
  explicit HeaderReader(InputFile& file) : file_(file) {}

  uint32_t number(size_t bytes) {
    std::array<uint8_t, 4> raw{};
    file_.read(position_, raw.data() + raw.size() - bytes, bytes);
    position_ += bytes;
    return load_big_endian(raw.data());
  }
  void skip(uint64_t bytes) { position_ += bytes; }

 private:
  InputFile& file_;
  uint64_t position_ = 0;
};

/// The first chunk has the size, after its length and name.
ImageSize png_size(HeaderReader header) {
  constexpr uint32_t image_header = 0x49484452;  // "IHDR"
  header.skip(png_magic.size() + 4);
  if (header.number(4) != image_header) return {};
  const int64_t width = header.number(4);
  return {.height = header.number(4), .width = width};
}

/// The start of the frame has the size; stb_image would read the tables before it, which are not checked yet.
ImageSize jpeg_size(HeaderReader header) {
  header.skip(jpeg_magic.size());
  while (header.number(1) == 0xff) {
    uint32_t marker = header.number(1);
    while (marker == 0xff)  // padding
      marker = header.number(1);
    const uint32_t length = header.number(2);
    const bool is_frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame) {
      header.skip(1);  // bits of a value
      const int64_t height = header.number(2);
      return {.height = height, .width = header.number(2)};
    }
    if (length < 2) break;
    header.skip(length - 2);
  }
  return {};
}

/// Empty if the file does not begin like a PNG or JPEG.
ImageSize size_in_header(InputFile& file) {
  const std::string head = file.head(png_magic.size());
  if (head == png_magic) return png_size(HeaderReader(file));
  if (head.starts_with(jpeg_magic)) return jpeg_size(HeaderReader(file));
  return {};
}

}  // namespace

std::string size_text(ImageSize size) {
  return std::to_string(size.width) + " x " + std::to_string(size.height);
}

bool is_image_path(const std::string& path) {
  const std::string suffix = lower_suffix(path);
  return suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg";
}

ImageSize read_image_size(const std::string& path) {
  InputFile file(path);
  const ImageSize size = size_in_header(file);
  if (size.height < 1 || size.width < 1) not_an_image(path);
  check_size(path, size);
  return size;
}

RgbImage read_image(const std::string& path) {
  const ImageSize size = read_image_size(path);
  const std::vector<uint8_t> bytes = read_whole_file(path);
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min(bytes.size(), png_magic.size()));
  const bool is_whole = head == png_magic              ? is_whole_png(bytes) && can_hold_png(bytes, size)
                        : head.starts_with(jpeg_magic) ? is_whole_jpeg(bytes) && can_hold_jpeg(bytes, size)
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
  if (size != ImageSize{.height = height, .width = width}) cannot_read(path, "the image is damaged");
  const auto count = static_cast<size_t>(height) * static_cast<size_t>(width) * 3;
  return {.size = size, .values = {pixels.get(), pixels.get() + count}};
}

}  // namespace faultwave
