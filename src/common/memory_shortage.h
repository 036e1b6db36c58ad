// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

namespace faultwave {

/// Memory that could not be had.
struct MemoryShortage {
  std::optional<uint64_t> bytes;  ///< that were asked for at once, where the exception tells

  /// More than this machine could ever give. Then it is what was asked for that is wrong.
  bool is_absurd() const;
};

/// What an exception says of memory that could not be had; none for one that tells of something else. Knows
/// those of C++, of libtorch (also where TorchScript has made a text of them) and of oneDNN, whose "could not
/// create a primitive" may have other reasons too.
std::optional<MemoryShortage> memory_shortage(const std::exception& error);

/// Whether an exception, of libtorch or of the language, says that memory could not be had: "32.0 GB were
/// asked for at once", or "" where it does not say how much; empty for any other.
std::optional<std::string> shortage_of_memory(const std::exception& error);

/// Called within a handler that takes exceptions for damage of a file: throws the one that is handled on
/// where it says that memory could not be had.
void pass_shortage(const std::exception& error);

}  // namespace faultwave
