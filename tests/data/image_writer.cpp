// SPDX-License-Identifier: Apache-2.0
#include "tests/data/image_writer.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <doctest/doctest.h>
#include <stb/stb_image_write.h>

namespace faultwave {

RgbImage plain_image(int64_t height, int64_t width, uint8_t red, uint8_t green, uint8_t blue) {
  RgbImage image = {.size = {.height = height, .width = width}, .values = {}};
  for (int64_t i = 0; i < height * width; ++i)
    image.values.insert(image.values.end(), {red, green, blue});
  return image;
}

void write_png(const std::string& path, const RgbImage& image) {
  write_png(path, image.size, 3, image.values);
}

void write_png(const std::string& path, ImageSize size, int channels, const std::vector<uint8_t>& values) {
  const auto width = static_cast<int>(size.width);
  const auto height = static_cast<int>(size.height);
  REQUIRE(values.size() == static_cast<size_t>(width * height * channels));
  REQUIRE(stbi_write_png(path.c_str(), width, height, channels, values.data(), width * channels) != 0);
}

void write_jpeg(const std::string& path, const RgbImage& image) {
  const auto width = static_cast<int>(image.size.width);
  const auto height = static_cast<int>(image.size.height);
  REQUIRE(stbi_write_jpg(path.c_str(), width, height, 3, image.values.data(), 100) != 0);
}

}  // namespace faultwave
