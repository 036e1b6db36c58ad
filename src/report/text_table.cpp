// SPDX-License-Identifier: Apache-2.0
#include "src/report/text_table.h"

#include <algorithm>

namespace faultwave {
namespace {

constexpr size_t kGap = 2;

/// Which columns stand side by side: ranges that follow the first column.
std::vector<std::pair<size_t, size_t>> side_by_side(const std::vector<size_t>& widths, size_t most) {
  std::vector<std::pair<size_t, size_t>> ranges = {{1, 1}};
  size_t width = widths.empty() ? 0 : widths[0];
  for (size_t i = 1; i < widths.size(); ++i) {
    const bool is_first = ranges.back().first == i;
    if (most > 0 && !is_first && width + kGap + widths[i] > most) {
      ranges.emplace_back(i, i);
      width = widths[0];
    }
    width += kGap + widths[i];
    ranges.back().second = i + 1;
  }
  return ranges;
}

}  // namespace

std::vector<size_t> TextTable::widths() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

std::string TextTable::text(size_t width) const {
  const std::vector<size_t> widths = this->widths();
  std::string text;
  for (const auto& [first, end] : side_by_side(widths, width)) {
    if (!text.empty()) text += '\n';
    for (const auto& row : rows_) {
      if (!row.empty()) text += row[0] + std::string(widths[0] - row[0].size(), ' ');
      for (size_t i = first; i < std::min(end, row.size()); ++i)
        text += std::string(kGap + widths[i] - row[i].size(), ' ') + row[i];
      text += '\n';
    }
  }
  return text;
}

std::string wrapped(const std::string& line, size_t width, size_t indent) {
  if (width == 0 || line.size() <= width) return line;
  const size_t space = line.rfind(' ', width);
  if (space == std::string::npos || space <= indent) return line;
  const std::string rest = std::string(indent, ' ') + line.substr(space + 1);
  return line.substr(0, space) + "\n" + wrapped(rest, width, indent);
}

}  // namespace faultwave
