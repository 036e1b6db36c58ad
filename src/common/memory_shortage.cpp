// SPDX-License-Identifier: Apache-2.0
#include "src/common/memory_shortage.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <stdexcept>
#include <string_view>

namespace faultwave {
namespace {

/// "32.0 GB", of 2^30 bytes, in whole numbers so that no locale has a say.
std::string size_text(uint64_t bytes) {
  constexpr const char* units[] = {"bytes", "KB", "MB", "GB", "TB", "PB", "EB"};
  size_t unit = 0;
  uint64_t tenths = 0;
  for (; bytes >= 1024; bytes /= 1024, ++unit)
    tenths = bytes % 1024 * 10 / 1024;
  return std::to_string(bytes) + (unit == 0 ? "" : "." + std::to_string(tenths)) + " " + units[unit];
}

/// How much libtorch's message says: "DefaultCPUAllocator: can't allocate memory: you tried to allocate
/// 34359738368 bytes. Error code 12", "CUDA out of memory. Tried to allocate 2.00 GiB".
std::string amount_in(std::string_view message) {
  constexpr std::string_view before = "ried to allocate ";
  const size_t place = message.find(before);
  if (place == std::string_view::npos) return "";
  const std::string_view rest = message.substr(place + before.size());
  const size_t end = rest.find_first_not_of("0123456789");
  uint64_t bytes = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), bytes);
  if (parsed.ec == std::errc() && rest.substr(std::min(end, rest.size())).starts_with(" bytes"))
    return size_text(bytes) + " were asked for at once";
  const size_t gib = rest.find("iB");
  if (gib == std::string_view::npos || gib > 20) return "";
  return std::string(rest.substr(0, gib)) + "B were asked for at once";
}

}  // namespace

std::optional<std::string> shortage_of_memory(const std::exception& error) {
  // Where a vector or a string cannot even be that long, nobody has asked for the memory yet.
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return "";
  if (dynamic_cast<const std::length_error*>(&error) != nullptr) return "";
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string_view message =
      torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  constexpr std::string_view words[] = {"can't allocate memory", "not enough memory", "out of memory",
                                        "Cannot allocate memory"};
  const bool is_short = dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
                        std::any_of(std::begin(words), std::end(words), [&](std::string_view word) {
                          return message.find(word) != std::string_view::npos;
                        });
  if (!is_short) return std::nullopt;
  return amount_in(message);
}

void pass_shortage(const std::exception& error) {
  if (shortage_of_memory(error)) throw;
}

}  // namespace faultwave
