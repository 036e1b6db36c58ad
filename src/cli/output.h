// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

namespace faultwave::cli {

/// Throws UserError(store) if what was printed could not be written.
void flush_standard_output();

/// Calls `write` with standard output if `path` is "" or "-", else as write_file does. Throws
/// UserError(store) if it cannot be written.
void write_output(const std::string& path, const std::function<void(std::ostream&)>& write);

}  // namespace faultwave::cli
