// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

namespace faultwave {

/// Writes a file, which appears whole or not at all: it is written beside its place and gets its name when it
/// is complete; an older file of the name stays until then, and hands its permissions on. Where `path` is a
/// link, the file that it points to is written. What is no regular file, such as a device or a FIFO, is
/// written to as it is. Numbers that `write` puts into the stream do not depend on the locale. Throws
/// UserError(store), "cannot write 'PATH': WHY", if that cannot be done, and leaves nothing behind then. What
/// `write` throws passes.
void write_file(const std::string& path, const std::function<void(std::ostream&)>& write);

}  // namespace faultwave
