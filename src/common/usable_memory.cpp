// SPDX-License-Identifier: Apache-2.0
#include "src/common/usable_memory.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace faultwave::detail {
namespace {

namespace fs = std::filesystem;

/// None where the file is not there or holds no number ("max").
std::optional<int64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  int64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

/// The smaller one of those that are there.
std::optional<int64_t> smaller(std::optional<int64_t> a, std::optional<int64_t> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

/// The least that a group or one above it, up to `top`, has in a file of this name. In a container `path` may
/// be that of the machine outside, of which there is no folder; then the top itself counts.
std::optional<int64_t> least_above(const fs::path& top, const fs::path& path, const std::string& name) {
  std::optional<int64_t> least = number_in(top / name);
  fs::path group = top;
  for (const fs::path& step : path.relative_path()) {
    group /= step;
    least = smaller(least, number_in(group / name));
  }
  return least;
}

}  // namespace

std::optional<int64_t> group_limit(const std::string& membership, const fs::path& root) {
  std::optional<int64_t> least;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // number:controllers:path
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path path = line.substr(second + 1);
    if (controllers.empty()) least = smaller(least, least_above(root, path, "memory.max"));
    if (controllers == "memory")
      least = smaller(least, least_above(root / "memory", path, "memory.limit_in_bytes"));
  }
  return least;
}

int64_t usable_memory() {
  const int64_t all = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  std::ifstream file("/proc/self/cgroup");
  std::ostringstream membership;
  membership << file.rdbuf();
  return std::min(all, group_limit(membership.str(), "/sys/fs/cgroup").value_or(all));
}

}  // namespace faultwave::detail
