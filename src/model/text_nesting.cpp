// SPDX-License-Identifier: Apache-2.0
#include "src/model/text_nesting.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace faultwave::detail {
namespace {

constexpr size_t kDeepestBrackets = 500;
constexpr size_t kDeepestBlocks = 200;
constexpr size_t kMostOperators = 5000;
constexpr size_t kSpacesOfBlock = 2;  // as TorchScript writes code

bool is_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Where a quoted text ends that begins at `at`: behind its last quote, or at the end.
size_t end_of_quoted(std::string_view text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

/// Goes through code and counts the operators of each expression: of each argument of a call by itself.
class CodeScan {
 public:
  explicit CodeScan(std::string_view code) : code_(code) {}

  bool is_too_deep() {
    while (at_ < code_.size()) {
      if (!step()) return true;
    }
    return false;
  }

 private:
  /// False where something is too deep.
  bool step() {
    const char c = code_[at_];
    if (c == '"' || c == '\'') {
      at_ = end_of_quoted(code_, at_);
      return true;
    }
    if (is_word(c)) return word();
    ++at_;
    if (c == '(' || c == '[' || c == '{') {
      operators_.push_back(0);
      return operators_.size() <= kDeepestBrackets;
    }
    if ((c == ')' || c == ']' || c == '}') && operators_.size() > 1) operators_.pop_back();
    if (c == ',') operators_.back() = 0;
    if (c == '\n' && operators_.size() == 1) return line();
    return std::string_view("+-*/%~<>=&|^@.").find(c) == std::string_view::npos || count();
  }

  bool word() {
    const size_t begin = at_;
    while (at_ < code_.size() && is_word(code_[at_]))
      ++at_;
    const std::string_view word = code_.substr(begin, at_ - begin);
    return (word != "not" && word != "and" && word != "or" && word != "if" && word != "elif") || count();
  }

  bool count() { return ++operators_.back() <= kMostOperators; }

  bool line() {
    operators_.back() = 0;
    const size_t text = std::min(code_.find_first_not_of(' ', at_), code_.size());
    return text - at_ <= kSpacesOfBlock * kDeepestBlocks;
  }

  std::string_view code_;
  size_t at_ = 0;
  std::vector<size_t> operators_ = {0};  // of the expressions under way, the outermost first
};

}  // namespace

bool is_json_too_deep(std::string_view text) {
  size_t depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      at = end_of_quoted(text, at) - 1;
    } else if (text[at] == '[' || text[at] == '{') {
      if (++depth > kDeepestBrackets) return true;
    } else if ((text[at] == ']' || text[at] == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

bool is_code_too_deep(std::string_view code) {
  return CodeScan(code).is_too_deep();
}

}  // namespace faultwave::detail
