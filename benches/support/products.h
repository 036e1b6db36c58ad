// SPDX-License-Identifier: Apache-2.0
// How fast this machine multiplies, and how much of a run's time goes into multiplying.
#pragma once

#include <ATen/record_function.h>

#include <string>

namespace faultwave::bench {

/// The fastest that was seen of several products and convolutions.
struct ProductSpeed {
  double flops = 0;   ///< floating-point operations a second, two a multiply-add
  std::string shape;  ///< of the fastest
};

/// FP32 matrix products [rows, in] x [in, out] by the BLAS library and by oneDNN (as 1x1 convolutions), and
/// 3x3 convolutions by oneDNN, of sizes that the wave engine has; the best of several runs each. About 3
/// seconds.
ProductSpeed measure_product_speed();

/// While one lives, counts the time that this thread spends in products and convolutions of the library.
/// One at a time.
class ProductClock {
 public:
  ProductClock();
  ~ProductClock();
  ProductClock(const ProductClock&) = delete;
  ProductClock& operator=(const ProductClock&) = delete;

  double seconds() const;

 private:
  at::CallbackHandle handle_;
};

}  // namespace faultwave::bench
