// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

namespace faultwave::cli {

/// Throws UserError(store) if what was printed could not be written.
void flush_standard_output();

/// Calls `write` with standard output if `path` is "" or "-", else with a file that gets its name only once
/// it is complete. Throws UserError(store) if it cannot be written; nothing is left then.
void write_output(const std::string& path, const std::function<void(std::ostream&)>& write);

}  // namespace faultwave::cli
