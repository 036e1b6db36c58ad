// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace faultwave::wave {

/// What the ways to convolve cost on this machine, in seconds.
struct ConvolutionCosts {
  double product = 0;  ///< a multiply-add in a product of gathered rows
  double dense = 0;    ///< a multiply-add in a convolution of whole maps
  double moved = 0;    ///< a value that is copied or added row by row
};

/// Measured once on a machine, which takes some hundredths of a second, and kept in the user's cache folder
/// (src/common/cache_file.h): which way a trial goes decides over the last bits of its scores, and a campaign
/// that is resumed, or run in several processes, must come to the same ones. Where nothing can be kept,
/// typical costs.
const ConvolutionCosts& convolution_costs();

/// The three numbers, in their order.
std::string text_of(const ConvolutionCosts& costs);

}  // namespace faultwave::wave
