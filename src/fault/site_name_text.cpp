// SPDX-License-Identifier: Apache-2.0
#include "src/fault/site_name_text.h"

#include <algorithm>
#include <optional>

namespace faultwave {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool stands_bare(char c) {
  return !is_control(c) && c != ' ' && std::string_view("[]\"@;").find(c) == std::string_view::npos;
}

std::string escape(char c) {
  if (c == '"' || c == '\\') return {'\\', c};
  if (!is_control(c)) return {c};
  return {'\\', 'x', kHexDigits[static_cast<unsigned char>(c) >> 4], kHexDigits[c & 0xF]};
}

int take_hex_digit(Scanner& scanner) {
  const size_t digit = scanner.at_end() ? std::string_view::npos : kHexDigits.find(scanner.peek());
  if (digit == std::string_view::npos) scanner.fail_expected("a digit from 0 to 9 or a to f (\\x takes two)");
  scanner.take();
  return static_cast<int>(digit);
}

char take_escaped(Scanner& scanner) {
  if (scanner.take_if('"')) return '"';
  if (scanner.take_if('\\')) return '\\';
  scanner.expect('x', "one of \\\" \\\\ \\x");
  const int high = take_hex_digit(scanner);
  return static_cast<char>(high * 16 + take_hex_digit(scanner));
}

std::string take_quoted(Scanner& scanner) {
  std::string name;
  while (!scanner.take_if('"')) {
    if (scanner.at_end()) scanner.fail_expected("the closing quote of the site's name");
    const char c = scanner.take();
    name += c == '\\' ? take_escaped(scanner) : c;
  }
  return name;
}

}  // namespace

std::string quote_site_name(std::string_view name) {
  if (!name.empty() && std::all_of(name.begin(), name.end(), stands_bare)) return std::string(name);
  std::string text = "\"";
  for (char c : name)
    text += escape(c);
  return text + "\"";
}

std::string take_site_name(Scanner& scanner) {
  if (scanner.take_if('"')) return take_quoted(scanner);
  const std::string_view name = scanner.take_while(stands_bare);
  if (name.empty()) scanner.fail_expected("the name of a site");
  return std::string(name);
}

}  // namespace faultwave
