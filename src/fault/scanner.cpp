// SPDX-License-Identifier: Apache-2.0
#include "src/fault/scanner.h"

#include <algorithm>
#include <optional>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/common/plain_text.h"

namespace faultwave {
namespace {

/// Columns count characters from 1: the continuation bytes of UTF-8 do not start one.
size_t column_of(std::string_view text, size_t position) {
  const std::string_view before = text.substr(0, position);
  return 1 + std::count_if(before.begin(), before.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char Scanner::take() {
  if (at_end()) throw InternalError("Scanner::take beyond the end of the text");
  return text_[position_++];
}

bool Scanner::take_if(char wanted) {
  if (at_end() || text_[position_] != wanted) return false;
  ++position_;
  return true;
}

std::string_view Scanner::take_while(const std::function<bool(char)>& accepted) {
  const size_t begin = position_;
  while (!at_end() && accepted(text_[position_]))
    ++position_;
  return text_.substr(begin, position_ - begin);
}

void Scanner::skip_spaces() {
  take_while(is_space);
}

void Scanner::expect(char wanted, std::string_view expected) {
  if (!take_if(wanted)) fail_expected(expected);
}

void Scanner::expect_end(std::string_view expected) {
  if (!at_end()) fail_expected(expected);
}

int64_t Scanner::take_integer(std::string_view expected) {
  const size_t begin = position_;
  const std::string_view text = take_while([](char c) { return is_digit(c) || c == '-'; });
  const std::optional<int64_t> number = parse_integer(text);
  if (number) return *number;
  position_ = begin;
  fail_expected(expected);
}

uint64_t Scanner::take_unsigned(std::string_view expected) {
  const size_t begin = position_;
  const std::optional<uint64_t> number = parse_unsigned(take_while(is_digit));
  if (number) return *number;
  position_ = begin;
  fail_expected(expected);
}

std::string Scanner::found_here() const {
  if (at_end()) return "the end";
  // A whole word says more than its first letter; one sign stands for itself.
  const auto in_word = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; };
  const std::string_view rest = text_.substr(position_);
  const auto word_end = std::find_if_not(rest.begin(), rest.end(), in_word);
  const auto length = std::max<size_t>(1, word_end - rest.begin());
  if (is_space(rest[0])) return "a space";
  constexpr size_t longest_word = 100;
  return "'" + shortened(rest.substr(0, length), longest_word) + "'";
}

void Scanner::fail_expected(std::string_view expected) const {
  fail_at(position_, "expected " + std::string(expected) + " but found " + found_here());
}

void Scanner::fail_at(size_t position, std::string_view message) const {
  constexpr size_t longest_text = 400;
  constexpr size_t longest_message = 1000;
  throw UserError(ErrorCode::usage, what_ + " '" + shortened(text_, longest_text) + "': at column " +
                                        std::to_string(column_of(text_, position)) + ", " +
                                        shortened(message, longest_message));
}

}  // namespace faultwave
