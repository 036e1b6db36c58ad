// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/outcome.h"

namespace faultwave {

/// Names of criteria as columns of tables: name(), or text() where two have the same name. Throws
/// UserError(usage) for two that are the same, or one named as something else that is counted.
std::vector<std::string> criterion_columns(const std::vector<CriterionPtr>& criteria);

}  // namespace faultwave
