// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace faultwave::detail {

enum class FileKind { torchscript, exported_program };

/// What a file holds, by its content. Throws UserError(bad_input) for anything but a network that can be
/// opened, saying what the file is and what to do instead: a missing or empty file, a folder, a text, a state
/// dict, a pickled Python module, an archive of something else.
FileKind identify_file(const std::string& path);

}  // namespace faultwave::detail
