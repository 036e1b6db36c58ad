// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "faultwave/network.h"

namespace faultwave {

/// A network of several inputs as one of its first alone: the others are the same tensors in each forward.
std::shared_ptr<Network> bind_inputs(std::shared_ptr<Network> network, std::vector<c10::IValue> others);

}  // namespace faultwave
