// SPDX-License-Identifier: Apache-2.0
#include "src/fault/victim_context.h"

namespace faultwave {

std::optional<double> int8_scale_of(double largest) {
  if (largest <= 0) return {};
  return largest / 127.0;
}

VictimContext context_of(const Site& site, std::optional<double> int8_scale) {
  return {site.name, c10::toUnderlying(site.dtype), int8_scale};
}

}  // namespace faultwave
