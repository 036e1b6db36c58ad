// SPDX-License-Identifier: Apache-2.0
#include <torch/version.h>

#include "faultwave/campaign.h"

namespace faultwave {

std::string program_version() {
  return FAULTWAVE_VERSION;
}
std::string torch_version() {
  return TORCH_VERSION;
}

}  // namespace faultwave
