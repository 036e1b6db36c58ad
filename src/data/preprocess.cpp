// SPDX-License-Identifier: Apache-2.0
#include "src/data/preprocess.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "faultwave/error.h"

#include "src/common/input_file.h"
#include "src/common/number_ranges.h"
#include "src/data/resample.h"

namespace faultwave {
namespace {

const auto longest_side = static_cast<int64_t>(number_range("resize").most);

/// The shorter side becomes `side`; the longer one keeps the proportion, rounded down.
ImageSize scaled_size(ImageSize size, int64_t side) {
  return size.height < size.width ? ImageSize{.height = side, .width = size.width * side / size.height}
                                  : ImageSize{.height = size.height * side / size.width, .width = side};
}

/// Pixels to leave out before a crop in the middle. Half a pixel goes to the even side, as Python rounds.
int64_t margin(int64_t size, int64_t crop) {
  const int64_t spare = size - crop;
  const int64_t half = spare / 2;
  return spare % 2 == 0 || half % 2 == 0 ? half : half + 1;
}

/// The three channels of the middle `target` pixels, normalised.
at::Tensor normalised_crop(const RgbImage& image, ImageSize target, const Preprocess& preprocess) {
  const int64_t top = margin(image.size.height, target.height);
  const int64_t left = margin(image.size.width, target.width);
  at::Tensor tensor = at::empty({3, target.height, target.width}, at::kFloat);
  auto* out = tensor.mutable_data_ptr<float>();
  for (size_t channel = 0; channel < 3; ++channel) {
    // In FP32 in the order of the formula, one rounding a step, once for each of the 256 possible values.
    std::array<float, 256> normalised;
    for (size_t value = 0; value < normalised.size(); ++value) {
      const float share = static_cast<float>(value) / 255.0F;
      const float centred = share - static_cast<float>(preprocess.mean[channel]);
      normalised[value] = centred / static_cast<float>(preprocess.std[channel]);
    }
    for (int64_t y = 0; y < target.height; ++y) {
      const uint8_t* pixel = image.values.data() + ((top + y) * image.size.width + left) * 3 + channel;
      for (int64_t x = 0; x < target.width; ++x)
        *out++ = normalised[pixel[3 * x]];
    }
  }
  return tensor;
}

}  // namespace

void check_preprocess(const Preprocess& preprocess) {
  if (preprocess.resize) check_number("resize", *preprocess.resize);
  if (preprocess.crop) check_number("crop", *preprocess.crop);
  for (size_t channel = 0; channel < 3; ++channel) {
    check_number("mean", preprocess.mean[channel]);
    check_number("std", preprocess.std[channel]);
  }
}

ImageSize preprocessed_size(ImageSize size, const Preprocess& preprocess, const std::string& path) {
  if (preprocess.resize) {
    size = scaled_size(size, *preprocess.resize);
    if (std::max(size.height, size.width) > longest_side) {
      cannot_read(path, "it would have " + size_text(size) +
                            " pixels after resizing; expected sides of at most " +
                            std::to_string(longest_side));
    }
  }
  if (!preprocess.crop) return size;
  if (*preprocess.crop > std::min(size.height, size.width)) {
    cannot_read(path, "it has " + size_text(size) + " pixels" + (preprocess.resize ? " after resizing" : "") +
                          ", and the crop takes " + std::to_string(*preprocess.crop) + " x " +
                          std::to_string(*preprocess.crop) + "; expected a smaller crop or a larger resize");
  }
  return {.height = *preprocess.crop, .width = *preprocess.crop};
}

at::Tensor load_image(const std::string& path, const Preprocess& preprocess) {
  check_preprocess(preprocess);
  const RgbImage image = read_image(path);
  const ImageSize target = preprocessed_size(image.size, preprocess, path);
  if (!preprocess.resize) return normalised_crop(image, target, preprocess);
  return normalised_crop(resample(image, scaled_size(image.size, *preprocess.resize)), target, preprocess);
}

}  // namespace faultwave
