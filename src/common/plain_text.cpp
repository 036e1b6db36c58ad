// SPDX-License-Identifier: Apache-2.0
#include "src/common/plain_text.h"

#include <cstdint>

namespace faultwave {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kLeftOut = " [...] ";

bool is_continuation(char byte) {
  return (byte & 0xC0) == 0x80;
}

/// A character of UTF-8: how many bytes it has, 0 if these are none, and its number.
struct Character {
  size_t bytes = 0;
  uint32_t number = 0;
};

Character first_character(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t bytes = lead < 0x80   ? 1
                       : lead < 0xC2 ? 0
                       : lead < 0xE0 ? 2
                       : lead < 0xF0 ? 3
                       : lead < 0xF5 ? 4
                                     : 0;
  if (bytes == 0 || text.size() < bytes) return {};
  uint32_t number = bytes == 1 ? lead : lead & (0xFFU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if (!is_continuation(text[i])) return {};
    number = number << 6 | (static_cast<uint8_t>(text[i]) & 0x3F);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = number >= 0xD800 && number < 0xE000;
  if (number < least[bytes] || number > 0x10FFFF || is_surrogate) return {};
  return {bytes, number};
}

/// Whether a terminal would do something other than show the character.
bool is_control(uint32_t number) {
  const bool is_line_end = number == 0x2028 || number == 0x2029;
  const bool turns_direction = number == 0x200E || number == 0x200F ||
                               (number >= 0x202A && number <= 0x202E) ||
                               (number >= 0x2066 && number <= 0x2069);
  return number < 0x20 || (number >= 0x7F && number < 0xA0) || is_line_end || turns_direction;
}

void add_escaped(std::string& line, char byte) {
  line += "\\x";
  line += kHexDigits[static_cast<uint8_t>(byte) >> 4];
  line += kHexDigits[static_cast<uint8_t>(byte) & 0xF];
}

}  // namespace

std::string printable(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    const size_t bytes = character.bytes > 0 ? character.bytes : 1;
    if (character.bytes > 0 && !is_control(character.number)) {
      line += text.substr(0, bytes);
    } else {
      for (const char byte : text.substr(0, bytes))
        add_escaped(line, byte);
    }
    text.remove_prefix(bytes);
  }
  return line;
}

std::string shortened(std::string_view text, size_t most) {
  std::string line = printable(text);
  if (line.size() <= most) return line;
  // What is wrong stands at the beginning, and what to do at the end.
  size_t head = (most - kLeftOut.size()) / 2;
  size_t tail = line.size() - (most - kLeftOut.size() - head);
  while (head > 0 && is_continuation(line[head]))
    --head;
  while (tail < line.size() && is_continuation(line[tail]))
    ++tail;
  return line.substr(0, head).append(kLeftOut).append(line, tail);
}

}  // namespace faultwave
