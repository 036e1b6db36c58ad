// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "faultwave/random.h"

namespace faultwave::mutation {

/// One to three changes to a text or to bytes: bits, bytes and numbers replaced by those that readers find
/// hard, ranges left out, repeated, moved or cut off, nesting, control characters. A pure function of `draw`.
std::string mutated(std::string bytes, Draw& draw);

/// A copy of an archive of PyTorch, one of whose records went through mutated(); sizes and check sums are
/// made to fit, so that readers get to see it.
std::string mutated_archive(const std::string& path, Draw& draw);

/// Changes one value or row of an SQLite database in place.
void mutate_database(const std::string& path, Draw& draw);

}  // namespace faultwave::mutation
