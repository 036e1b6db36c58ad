// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "faultwave/error_model.h"
#include "faultwave/site.h"

namespace faultwave {

/// The scale of the symmetric INT8 quantisation that just holds values up to `largest` in magnitude; empty
/// where nothing was measured (`largest` 0).
std::optional<double> int8_scale_of(double largest);

/// What an error model is told of a site.
VictimContext context_of(const Site& site, std::optional<double> int8_scale = {});

}  // namespace faultwave
