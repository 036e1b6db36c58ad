// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace faultwave::wave {

/// What the ways to convolve cost on this machine, in seconds.
struct ConvolutionCosts {
  double product = 0;  ///< a multiply-add in a product of gathered rows
  double dense = 0;    ///< a multiply-add in a convolution of whole maps
  double moved = 0;    ///< a value that is copied or added row by row
};

/// Measured at the first call, with the threads that are set then; some hundredths of a second.
const ConvolutionCosts& convolution_costs();

}  // namespace faultwave::wave
