// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "faultwave/store.h"

#include "src/store/database.h"

namespace faultwave {

void insert_round(const Database& database, const Round& round);
std::vector<Round> read_rounds(const Database& database);

}  // namespace faultwave
