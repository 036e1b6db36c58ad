// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace faultwave {

/// Columns padded to their widest cell: the first to the left, the others to the right.
class TextTable {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// At most `width` columns of text where the cells allow it (0: as wide as it gets): what does not fit
  /// comes below, with the first column again.
  std::string text(size_t width = 0) const;

 private:
  std::vector<size_t> widths() const;
  std::vector<std::vector<std::string>> rows_;
};

/// Cut at spaces into lines of at most `width`, those that follow the first indented; 0: as it is.
std::string wrapped(const std::string& line, size_t width, size_t indent);

}  // namespace faultwave
