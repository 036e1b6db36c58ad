// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace faultwave {

/// Processes that wanted to run, on average over the last minute; 0 where the system does not say.
double load_average();

/// Cores that this process may use.
int usable_cores();

/// One sentence for somebody who starts so many threads on a machine that is busy already; "" if it is not.
std::string busy_note(double load, int threads, int cores);

}  // namespace faultwave
