// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace faultwave {

struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// "640 x 480": width, then height.
std::string size_text(ImageSize size);

/// Eight bits a channel, [height, width, 3], row by row.
struct RgbImage {
  ImageSize size;
  std::vector<uint8_t> values;
};

/// Whether a file name ends in .png, .jpg or .jpeg, whatever the case.
bool is_image_path(const std::string& path);

/// Size of a PNG or JPEG from its header, without decoding it. Throws UserError(bad_input).
ImageSize read_image_size(const std::string& path);

/// Decodes a PNG or JPEG. Grey is repeated in all three channels, transparency is dropped, 16 bits are cut to
/// the upper 8, and an orientation tag is ignored. Throws UserError(bad_input), for a truncated file too.
RgbImage read_image(const std::string& path);

}  // namespace faultwave
