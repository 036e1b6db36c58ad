// SPDX-License-Identifier: Apache-2.0
#include "src/common/memory_shortage.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "src/common/exception_text.h"
#include "src/common/usable_memory.h"

namespace faultwave {
namespace {

constexpr std::array<std::string_view, 8> kTexts{"Cannot allocate memory",
                                                 "can't allocate memory",
                                                 "not enough memory",
                                                 "std::bad_alloc",
                                                 "out of memory",
                                                 "could not create a memory",
                                                 "could not create a primitive",
                                                 "could not execute a primitive"};

/// "... you tried to allocate 4096 bytes."
std::optional<uint64_t> bytes_asked_for(const std::string& text) {
  constexpr std::string_view before = "tried to allocate ";
  const size_t found = text.find(before);
  if (found == std::string::npos) return std::nullopt;
  const char* begin = text.data() + found + before.size();
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), bytes);
  const bool is_bytes = error == std::errc() && std::string_view(end).starts_with(" bytes");
  return is_bytes ? std::make_optional(bytes) : std::nullopt;
}

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

bool MemoryShortage::is_absurd() const {
  return bytes && *bytes > static_cast<uint64_t>(detail::usable_memory());
}

std::optional<MemoryShortage> memory_shortage(const std::exception& error) {
  // A length that no array can have.
  if (dynamic_cast<const std::bad_array_new_length*>(&error) != nullptr) return std::nullopt;
  const std::string text = reason_of(error);
  const bool is_known = dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
                        dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
                        std::any_of(kTexts.begin(), kTexts.end(), [&](std::string_view known) {
                          return text.find(known) != std::string::npos;
                        });
  if (!is_known) return std::nullopt;
  return MemoryShortage{bytes_asked_for(text)};
}

std::optional<std::string> shortage_of_memory(const std::exception& error) {
  // Where a vector or a string cannot even be that long, nobody has asked for the memory yet.
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return "";
  if (dynamic_cast<const std::length_error*>(&error) != nullptr) return "";
  if (!memory_shortage(error)) return std::nullopt;
  return amount_in(reason_of(error));
}

void pass_shortage(const std::exception& error) {
  if (shortage_of_memory(error)) throw;
}

}  // namespace faultwave
