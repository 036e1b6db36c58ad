// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/data/image_codec.h"

namespace faultwave {

/// An image of one colour.
RgbImage plain_image(int64_t height, int64_t width, uint8_t red, uint8_t green, uint8_t blue);

void write_png(const std::string& path, const RgbImage& image);
/// `channels`: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
void write_png(const std::string& path, ImageSize size, int channels, const std::vector<uint8_t>& values);
/// At the highest quality, so that decoding gives values close to these.
void write_jpeg(const std::string& path, const RgbImage& image);

}  // namespace faultwave
