// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "src/common/crc32.h"
#include "src/data/resample.h"
#include "tests/data/data_test.h"
#include "tests/data/image_writer.h"

namespace faultwave {
namespace {

/// Value (7 x^2 + 31 y + 50 c) mod 256 at row y, column x, channel c.
RgbImage patterned(int64_t height, int64_t width) {
  RgbImage image = {.size = {.height = height, .width = width}, .values = {}};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < 3; ++c)
        image.values.push_back(static_cast<uint8_t>(7 * x * x + 31 * y + 50 * c));
    }
  }
  return image;
}

/// Values in [0, 255] as they were in the file, [3, height, width].
at::Tensor bytes_of(const at::Tensor& image) {
  return image.mul(255).round();
}

std::string refusal_of_image(const std::string& path, const Preprocess& preprocess = {}) {
  return error_of(ErrorCode::bad_input, [&] { load_image(path, preprocess); });
}

TEST_CASE("a PNG becomes [3, height, width] from 0 to 1") {
  const TempFolder folder;
  const RgbImage image = patterned(5, 7);
  write_png(folder / "x.png", image);
  const at::Tensor tensor = load_image(folder / "x.png");
  CHECK((tensor.scalar_type() == at::kFloat));
  REQUIRE(tensor.sizes() == at::IntArrayRef({3, 5, 7}));
  for (int64_t y = 0; y < 5; ++y) {
    for (int64_t x = 0; x < 7; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        CHECK(tensor[c][y][x].item<float>() ==
              static_cast<float>(image.values[(y * 7 + x) * 3 + c]) / 255.0F);
      }
    }
  }
}

TEST_CASE("grey is repeated and transparency dropped") {
  const TempFolder folder;
  write_png(folder / "grey.png", {.height = 1, .width = 2}, 1, {10, 200});
  const at::Tensor grey = at::tensor({10.0F, 200.0F}).expand({3, 1, 2});
  CHECK(at::equal(bytes_of(load_image(folder / "grey.png")), grey));
  write_png(folder / "grey_alpha.png", {.height = 1, .width = 2}, 2, {10, 0, 200, 128});
  CHECK(at::equal(bytes_of(load_image(folder / "grey_alpha.png")), grey));
  write_png(folder / "alpha.png", {.height = 1, .width = 1}, 4, {1, 2, 3, 0});
  CHECK(at::equal(bytes_of(load_image(folder / "alpha.png")).flatten(), at::tensor({1.0F, 2.0F, 3.0F})));
}

TEST_CASE("a JPEG is close to what was compressed") {
  const TempFolder folder;
  RgbImage image = {.size = {.height = 24, .width = 40}, .values = {}};
  for (int64_t y = 0; y < 24; ++y) {
    for (int64_t x = 0; x < 40; ++x) {
      for (const int64_t value : {4 * x, 6 * y, 100 + x + y})
        image.values.push_back(static_cast<uint8_t>(value));
    }
  }
  write_jpeg(folder / "x.JPEG", image);
  const at::Tensor expected = at::tensor(image.values).view({24, 40, 3}).permute({2, 0, 1}).to(at::kFloat);
  CHECK((bytes_of(load_image(folder / "x.JPEG")) - expected).abs().max().item<float>() <= 4);
}

TEST_CASE("mean and std are applied channel by channel") {
  const TempFolder folder;
  write_png(folder / "x.png", plain_image(1, 1, 51, 102, 255));
  const at::Tensor tensor = load_image(folder / "x.png", {.mean = {0.1, 0.2, 0.5}, .std = {0.5, 0.25, 2}});
  CHECK(tensor[0].item<float>() == (51.0F / 255.0F - 0.1F) / 0.5F);
  CHECK(tensor[1].item<float>() == (102.0F / 255.0F - 0.2F) / 0.25F);
  CHECK(tensor[2].item<float>() == 0.25F);
}

TEST_CASE("a crop takes the middle; half a pixel goes to the even side") {
  const TempFolder folder;
  const auto first_pixel = [&](int64_t size, int64_t crop) {
    RgbImage image = {.size = {.height = size, .width = size}, .values = {}};
    for (int64_t y = 0; y < size; ++y) {
      for (int64_t x = 0; x < size; ++x) {
        image.values.insert(image.values.end(), {static_cast<uint8_t>(x), static_cast<uint8_t>(y), 0});
      }
    }
    write_png(folder / "x.png", image);
    const at::Tensor tensor = bytes_of(load_image(folder / "x.png", {.crop = crop}));
    CHECK(tensor.size(1) == crop);
    CHECK(tensor.size(2) == crop);
    CHECK(tensor[0][0][crop - 1].item<int64_t>() == tensor[0][0][0].item<int64_t>() + crop - 1);
    CHECK(tensor[1][0][0].item<int64_t>() == tensor[0][0][0].item<int64_t>());
    return tensor[0][0][0].item<int64_t>();
  };
  CHECK(first_pixel(8, 4) == 2);
  CHECK(first_pixel(5, 4) == 0);  // round(0.5) = 0
  CHECK(first_pixel(7, 4) == 2);  // round(1.5) = 2
  CHECK(first_pixel(9, 4) == 2);  // round(2.5) = 2
  CHECK(first_pixel(6, 6) == 0);
}

TEST_CASE("scaling up by two mixes neighbours three to one") {
  const RgbImage image = {.size = {.height = 1, .width = 2}, .values = {0, 0, 100, 100, 200, 100}};
  const RgbImage scaled = resample(image, {.height = 2, .width = 4});
  const std::vector<uint8_t> row = {0, 0, 100, 25, 50, 100, 75, 150, 100, 100, 200, 100};
  std::vector<uint8_t> expected = row;
  expected.insert(expected.end(), row.begin(), row.end());
  CHECK(scaled.values == expected);
}

TEST_CASE("scaling down takes a triangle of pixels") {
  // Four pixels to two: the first reaches over 0, 1, 2 with weights 0.75, 0.75, 0.25 (in 1.75), the second
  // mirrored.
  RgbImage image = {.size = {.height = 1, .width = 4}, .values = {}};
  for (const uint8_t value : {7, 14, 70, 210})
    image.values.insert(image.values.end(), 3, value);
  const RgbImage scaled = resample(image, {.height = 1, .width = 2});
  const auto first = static_cast<int>(std::lround((0.75 * 7 + 0.75 * 14 + 0.25 * 70) / 1.75));
  const auto second = static_cast<int>(std::lround((0.75 * 210 + 0.75 * 70 + 0.25 * 14) / 1.75));
  CHECK(int{scaled.values[0]} == first);
  CHECK(int{scaled.values[3]} == second);
}

TEST_CASE("scaling agrees with Pillow bit for bit") {
  // Image.resize(size, Image.BILINEAR) of Pillow 13.0.0 on the pattern of 5 x 7.
  CHECK(resample(patterned(5, 7), {.height = 3, .width = 4}).values ==
        std::vector<uint8_t>{17,  67,  117, 47,  97,  147, 124, 152, 173, 168, 95,  82,
                             66,  116, 166, 96,  146, 180, 162, 172, 103, 116, 81,  121,
                             115, 165, 215, 145, 195, 173, 171, 145, 66,  80,  122, 167});
  CHECK(resample(patterned(5, 7), {.height = 1, .width = 2}).values ==
        std::vector<uint8_t>{89, 136, 163, 135, 130, 121});
}

TEST_CASE("resize sets the shorter side and keeps the proportion") {
  const TempFolder folder;
  const auto scaled_sizes = [&](int64_t height, int64_t width, int64_t side) {
    write_png(folder / "x.png", plain_image(height, width, 10, 20, 30));
    const at::Tensor tensor = load_image(folder / "x.png", {.resize = side});
    CHECK(at::equal(bytes_of(tensor), at::tensor({10.0F, 20.0F, 30.0F}).view({3, 1, 1}).expand_as(tensor)));
    return tensor.sizes().vec();
  };
  CHECK(scaled_sizes(10, 15, 4) == std::vector<int64_t>{3, 4, 6});
  CHECK(scaled_sizes(15, 10, 4) == std::vector<int64_t>{3, 6, 4});
  CHECK(scaled_sizes(10, 19, 4) == std::vector<int64_t>{3, 4, 7});  // 7.6, rounded down
  CHECK(scaled_sizes(3, 3, 7) == std::vector<int64_t>{3, 7, 7});
}

TEST_CASE("resize, crop and normalisation come in this order") {
  const TempFolder folder;
  write_png(folder / "x.png", patterned(5, 7));
  const at::Tensor whole = load_image(folder / "x.png", {.resize = 4});
  const at::Tensor tensor =
      load_image(folder / "x.png", {.resize = 4, .crop = 2, .mean = {0.5, 0.5, 0.5}, .std = {2, 2, 2}});
  REQUIRE(whole.sizes() == at::IntArrayRef({3, 4, 5}));
  CHECK(at::equal(tensor,
                  whole.slice(1, 1, 3).slice(2, 2, 4).sub(0.5).div(2)));  // margins 1 and round(1.5) = 2
}

TEST_CASE("images that do not fit the preprocessing are refused") {
  const TempFolder folder;
  write_png(folder / "x.png", plain_image(10, 20, 0, 0, 0));
  const std::string message = refusal_of_image(folder / "x.png", {.crop = 11});
  CHECK(contains(message, "it has 20 x 10 pixels, and the crop takes 11 x 11"));
  CHECK(
      contains(refusal_of_image(folder / "x.png", {.resize = 5, .crop = 6}), "10 x 5 pixels after resizing"));
  write_png(folder / "long.png", plain_image(1, 100, 0, 0, 0));
  CHECK(
      contains(refusal_of_image(folder / "long.png", {.resize = 200}), "20000 x 200 pixels after resizing"));
}

TEST_CASE("impossible preprocessing is refused") {
  const TempFolder folder;
  write_png(folder / "x.png", plain_image(2, 2, 0, 0, 0));
  const auto usage_message = [&](const Preprocess& preprocess) {
    return error_of(ErrorCode::usage, [&] { load_image(folder / "x.png", preprocess); });
  };
  CHECK(contains(usage_message({.resize = 0}), "resize must be from 1 to 16384, and is 0"));
  CHECK(contains(usage_message({.crop = -3}), "crop must be from 1 to 16384, and is -3"));
  CHECK(contains(usage_message({.resize = 20000}), "from 1 to 16384"));
  CHECK(contains(usage_message({.std = {1, 0, 1}}), "std"));
  CHECK(contains(usage_message({.mean = {0, 0, NAN}}), "mean must be from -1000000 to 1000000, and is nan"));
}

TEST_CASE("files that are no images are refused") {
  const TempFolder folder;
  write_file(folder / "x.png", "hello");
  CHECK(contains(refusal_of_image(folder / "x.png"), "not a PNG or JPEG image"));
  write_file(folder / "empty.jpg", "");
  CHECK(contains(refusal_of_image(folder / "empty.jpg"), "not a PNG or JPEG image"));
  CHECK(contains(refusal_of_image(folder / "none.png"), "No such file"));
}

TEST_CASE("truncated images are refused wherever they end") {
  const TempFolder folder;
  write_png(folder / "whole.png", patterned(20, 30));
  write_jpeg(folder / "whole.jpg", patterned(20, 30));
  for (const char* name : {"whole.png", "whole.jpg"}) {
    const std::string good = read_file(folder / name);
    for (size_t size = 0; size < good.size(); size += size + 40 < good.size() ? 13 : 1) {
      CAPTURE(name);
      CAPTURE(size);
      write_file(folder / "x", good.substr(0, size));
      CHECK(refusal_of_image(folder / "x") != "");
    }
  }
}

TEST_CASE("the end of a camera's preview is not the end of the image") {
  const TempFolder folder;
  write_jpeg(folder / "whole.jpg", patterned(20, 30));
  const std::string good = read_file(folder / "whole.jpg");
  const std::string preview("\xff\xe1\x00\x06\xff\xd8\xff\xd9", 8);  // a segment of application data
  write_file(folder / "x.jpg", good.substr(0, 2) + preview + good.substr(2) + "and a trailer");
  CHECK(at::equal(load_image(folder / "x.jpg"), load_image(folder / "whole.jpg")));
  write_file(folder / "x.jpg", good.substr(0, 2) + preview + good.substr(2, good.size() - 40));
  CHECK(contains(refusal_of_image(folder / "x.jpg"), "damaged or incomplete"));
}

TEST_CASE("an image that says it has more pixels than its bytes can hold is refused before memory is taken") {
  const TempFolder folder;
  write_png(folder / "x.png", patterned(5, 7));
  std::string png = read_file(folder / "x.png");
  png.replace(16, 8, std::string("\0\0\x3e\x80\0\0\x3e\x80", 8));  // 16,000 x 16,000
  const uint32_t sum = crc32(png.data() + 12, 17);
  for (int byte = 0; byte < 4; ++byte)
    png[29 + byte] = static_cast<char>(sum >> (24 - 8 * byte));
  write_file(folder / "x.png", png);
  CHECK(contains(refusal_of_image(folder / "x.png"), "damaged or incomplete"));

  write_jpeg(folder / "x.jpg", patterned(16, 16));
  std::string jpeg = read_file(folder / "x.jpg");
  const size_t frame = jpeg.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  jpeg.replace(frame + 5, 4, "\x3e\x80\x3e\x80");
  write_file(folder / "x.jpg", jpeg);
  CHECK(contains(refusal_of_image(folder / "x.jpg"), "damaged or incomplete"));
}

TEST_CASE("a PNG with a damaged byte is refused") {
  const TempFolder folder;
  write_png(folder / "whole.png", patterned(6, 6));
  const std::string good = read_file(folder / "whole.png");
  for (size_t place = 0; place < good.size(); ++place) {
    CAPTURE(place);
    std::string damaged = good;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << place % 8));
    write_file(folder / "x", damaged);
    CHECK(refusal_of_image(folder / "x") != "");
  }
}

TEST_CASE("a JPEG with more Huffman codes than there can be is refused") {
  const TempFolder folder;
  write_jpeg(folder / "whole.jpg", patterned(6, 6));
  const std::string good = read_file(folder / "whole.jpg");
  const size_t table = good.find("\xff\xc4");
  REQUIRE(table != std::string::npos);
  const size_t codes_of_16_bits = table + 4 + 16;
  std::string damaged = good;
  damaged[codes_of_16_bits] = static_cast<char>(0xff);
  write_file(folder / "x", damaged);
  CHECK(contains(refusal_of_image(folder / "x"), "damaged"));
  // Before the start of the frame as well, where only the size is asked for.
  const std::string segment = std::string("\xff\xc4\x00\x13", 4) + damaged.substr(table + 4, 17);
  write_file(folder / "x", good.substr(0, 2) + segment + good.substr(2));
  CHECK(contains(refusal_of_image(folder / "x"), "damaged"));
}

TEST_CASE("a damaged JPEG does no harm") {
  const TempFolder folder;
  write_jpeg(folder / "whole.jpg", patterned(6, 6));
  const std::string good = read_file(folder / "whole.jpg");
  for (size_t place = 0; place < good.size(); ++place) {
    std::string damaged = good;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << place % 8));
    write_file(folder / "x", damaged);
    try {
      const at::Tensor image = load_image(folder / "x");
      CHECK(image.dim() == 3);
    } catch (const UserError& error) {
      CHECK(error.code() == ErrorCode::bad_input);
    }
  }
}

}  // namespace
}  // namespace faultwave
