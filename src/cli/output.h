// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace faultwave::cli {

/// From now on standard output is what this program writes to std::cout alone. What a network prints, by
/// TorchScript's print() or to descriptor 1, goes to standard error. To be called once, before anything is
/// printed.
void separate_standard_output();

/// Throws UserError(store) if what was printed could not be written.
void flush_standard_output();

/// How wide a table may be: the terminal's width, at least 80; 120 where standard output is none.
size_t output_width();

/// Prints each on a line of its own on standard error, as "faultwave: warning: ...".
void print_warnings(const std::vector<std::string>& warnings);

/// The rule of all commands that write a file: throws UserError(store) for a regular file that exists, unless
/// `force`, which --force gives. Devices and pipes, which lose nothing, pass.
void check_may_write(const std::string& path, bool force);

/// Calls `write` with standard output if `path` is "" or "-", else as write_file does. Throws
/// UserError(store) if it cannot be written.
void write_output(const std::string& path, const std::function<void(std::ostream&)>& write);

}  // namespace faultwave::cli
