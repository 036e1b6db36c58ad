// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "faultwave/inputs.h"

#include "src/data/image_codec.h"

namespace faultwave {

/// Throws UserError(usage) for a size that is not from 1 to 16384, or a `std` that is zero, or not a number.
void check_preprocess(const Preprocess& preprocess);

/// The size that an image of `size` has after preprocessing. Throws UserError(bad_input) naming `path` if the
/// crop is larger than the image or the scaled image is too large.
ImageSize preprocessed_size(ImageSize size, const Preprocess& preprocess, const std::string& path);

}  // namespace faultwave
