// SPDX-License-Identifier: Apache-2.0
#include "src/common/near_names.h"

#include <algorithm>
#include <numeric>

namespace faultwave {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substitute, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> near_names(std::string_view wrong, const std::vector<std::string>& known,
                                    size_t most) {
  struct Candidate {
    size_t distance;
    const std::string* name;
  };
  std::vector<Candidate> candidates;
  for (const std::string& name : known) {
    size_t distance = edit_distance(wrong, name);
    const bool contains = wrong.size() >= 3 && name.find(wrong) != std::string::npos;
    if (contains) distance = std::min<size_t>(distance, 1);
    if (distance <= std::max<size_t>(2, wrong.size() / 3)) candidates.push_back({distance, &name});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.distance < b.distance; });
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates) {
    if (names.size() == most) break;
    if (std::find(names.begin(), names.end(), *candidate.name) == names.end())
      names.push_back(*candidate.name);
  }
  return names;
}

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& known) {
  const std::vector<std::string> names = near_names(wrong, known);
  if (names.empty()) return "";
  std::string text = "; did you mean " + names[0];
  for (size_t i = 1; i < names.size(); ++i)
    text += (i + 1 == names.size() ? " or " : ", ") + names[i];
  return text + "?";
}

}  // namespace faultwave
