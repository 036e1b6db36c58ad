// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "src/data/image_codec.h"

namespace faultwave {

/// Scales an image with a triangle filter that widens as the image shrinks (bilinear with antialiasing).
///
/// Weights are rounded to 22 bits after the point and each of the two passes, along the rows first, to 8
/// bits, as the Pillow library does it, on which the published evaluation of most networks rests. Being
/// integers, the results are the same on any machine, so that fingerprints of inputs are too; FP32 sums would
/// depend on the vector width.
RgbImage resample(const RgbImage& image, ImageSize size);

}  // namespace faultwave
