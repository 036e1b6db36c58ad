// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace faultwave {

/// Reads a text from left to right and reports what is wrong with it by column. `text` must outlive the
/// object.
class Scanner {
 public:
  /// `what` names the text in messages: "fault line".
  Scanner(std::string_view text, std::string what) : text_(text), what_(std::move(what)) {}

  size_t position() const { return position_; }
  bool at_end() const { return position_ == text_.size(); }
  /// The next character, or '\0' at the end.
  char peek() const { return at_end() ? '\0' : text_[position_]; }

  /// Takes the next character.
  char take();
  /// Takes the next character if it is `wanted`.
  bool take_if(char wanted);
  /// Takes characters as long as `accepted` holds; may take none.
  std::string_view take_while(const std::function<bool(char)>& accepted);
  void skip_spaces();
  /// What was taken from `begin` on.
  std::string_view taken_since(size_t begin) const { return text_.substr(begin, position_ - begin); }

  /// Takes `wanted` or fails, `expected` saying what would have been right.
  void expect(char wanted, std::string_view expected);
  void expect_end(std::string_view expected);

  /// A signed integer of 64 bits; `expected` describes it.
  int64_t take_integer(std::string_view expected);
  /// An integer from 0 to 2^64 - 1.
  uint64_t take_unsigned(std::string_view expected);

  /// Throws UserError(usage): text, column, "expected ... but found ...".
  [[noreturn]] void fail_expected(std::string_view expected) const;
  /// Throws UserError(usage): text, column of `position`, `message`.
  [[noreturn]] void fail_at(size_t position, std::string_view message) const;

 private:
  std::string found_here() const;

  std::string_view text_;
  std::string what_;
  size_t position_ = 0;
};

bool is_space(char c);
bool is_digit(char c);
bool is_letter(char c);

}  // namespace faultwave
