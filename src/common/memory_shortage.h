// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>
#include <string>

namespace faultwave {

/// Whether an exception, of libtorch or of the language, says that memory could not be had: "32.0 GB were
/// asked for at once", or "" where it does not say how much; empty for any other.
std::optional<std::string> shortage_of_memory(const std::exception& error);

/// Called within a handler that takes exceptions for damage of a file: throws the one that is handled on
/// where it says that memory could not be had.
void pass_shortage(const std::exception& error);

}  // namespace faultwave
