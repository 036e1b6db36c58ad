// SPDX-License-Identifier: Apache-2.0
#include "faultwave/injector.h"

namespace faultwave {

ErrorModelPtr to_error_model(const RandomValue& model) {
  return random_value(model.low, model.high);
}

ErrorModelPtr to_error_model(const BitFlip& model) {
  if (!model.bit) return bit_flip();
  return bit_flip(std::vector<int>{*model.bit});
}

ErrorModelPtr to_error_model(const Zero&) {
  return zero();
}

ErrorModelPtr to_error_model(const Constant& model) {
  return constant(model.value);
}

ErrorModelPtr to_error_model(const Noise& model) {
  return gaussian_noise(model.sigma);
}

ErrorModelPtr to_error_model(const Scale& model) {
  return scale_by(model.factor);
}

}  // namespace faultwave
