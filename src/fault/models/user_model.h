// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/error_model.h"

namespace faultwave {

/// The model registered under `name`, or null.
ErrorModelPtr find_user_model(const std::string& name);

/// All registered names, sorted.
std::vector<std::string> user_model_names();

}  // namespace faultwave
